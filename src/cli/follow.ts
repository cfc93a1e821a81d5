import { QuorateError } from '../errors.js';
import { followChange, type StartedChange } from '../temporal/changes.js';
import type { Progress } from '../temporal/progress.js';
import type { OutputOptions } from './output.js';
import { ProgressView } from './progress.js';

/** Shows a change until it ends or Ctrl-C detaches. @returns null when detached */
export async function follow(change: StartedChange, options: OutputOptions, again: string): Promise<Progress | null> {
  const footer = `Ctrl-C detaches; the change goes on. Again: ${again}`;
  const view = new ProgressView(options, footer);
  await view.start();
  const detach = new AbortController();
  const onInterrupt = () => detach.abort();
  process.once('SIGINT', onInterrupt);
  try {
    const end = await followChange(change, (progress) => view.update(progress), detach.signal);
    view.stop();
    if (end === null) process.stderr.write(`\nDetached; the change goes on. Follow it with: ${again}\n`);
    return end;
  } finally {
    view.stop();
    process.removeListener('SIGINT', onInterrupt);
  }
}

/** Turns an end that is not the wanted one into the error that says so. */
export function mustBeDone(progress: Progress, id: string): void {
  if (progress.state === 'done') return;
  throw new QuorateError(`change-${progress.state}`, `${id} ${wordFor(progress.state)}: ${progress.result}`, {
    todo: progress.wayOut,
  });
}

function wordFor(state: Progress['state']): string {
  return {
    done: 'is done',
    blocked: 'is blocked',
    cancelled: 'was cancelled',
    failed: 'failed',
    running: 'still runs',
  }[state];
}
