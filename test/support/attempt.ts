import { asyncLocalStorage, type Context } from '@temporalio/activity';

/** Runs an activity's function as an attempt that nobody cancels. */
export function attempt<T>(work: () => Promise<T>): Promise<T> {
  const context = { heartbeat: () => undefined, cancelled: new Promise<never>(() => undefined) };
  return asyncLocalStorage.run(context as unknown as Context, work);
}
