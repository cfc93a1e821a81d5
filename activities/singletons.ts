import { Context } from '@temporalio/activity';
import { endSingletons, ensureSingletons } from '../src/temporal/singletons.js';

export type SingletonActivities = ReturnType<typeof singletonActivities>;

/**
 * The singletons are started through the client with "use the existing one", not as children: the same call heals a
 * singleton that somebody terminated (every worker makes it when it starts), and none of them has a parent that could
 * take it along.
 */
export function singletonActivities() {
  return {
    async startSingletons({ environment }: { environment: { name: string; uuid: string } }): Promise<void> {
      await ensureSingletons(Context.current().client, environment);
    },
    async stopSingletons({ environment }: { environment: { name: string; uuid: string } }): Promise<void> {
      await endSingletons(Context.current().client, environment);
    },
  };
}
