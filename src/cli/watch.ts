import type { Command } from 'commander';
import type { Result } from '../api/operations.js';
import { QuorateError } from '../errors.js';
import { follow, mustBeDone } from './follow.js';
import { formatOf, type OutputOptions, withEnvironment, withFormat } from './output.js';

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .argument('[change]', 'a change, as `quorate changes` names it (default: everything that happens)')
    .addHelpText(
      'after',
      '\nWith --format json: one object a line.\n\nExamples:\n  quorate watch\n  quorate watch demo-1f2e3d4c-7\n  quorate watch --format json',
    )
    .action(async (change: string | undefined, options: OutputOptions & { environment?: string }) => {
      formatOf(options);
      const { openStore } = await import('../store/store.js');
      const { chooseEnvironment } = await import('./environment.js');
      const store = await openStore();
      const record = await chooseEnvironment(store, options.environment);
      // A bootstrap is followed in Temporal: there is no API yet that could tell.
      if (change !== undefined || (await store.authority(record.name)) === null) {
        await followRunning(options, change);
      } else await everything(options);
    });
}

async function followRunning(options: OutputOptions & { environment?: string }, id: string | undefined): Promise<void> {
  const { openTemporal } = await import('./temporal.js');
  const { environmentKey } = await import('../temporal/names.js');
  const { findChange } = await import('../temporal/changes.js');
  const { record, temporal } = await openTemporal(options.environment);
  try {
    const key = environmentKey(record.name, record.uuid);
    const change = await findChange(temporal, key, id);
    if (change === null) {
      throw new QuorateError(
        'no-change',
        id ? `there is no change ${id} in Temporal.` : `nothing is being changed in ${record.name}.`,
        {
          todo: 'Past changes: quorate changes, and quorate show-change ID',
        },
      );
    }
    const end = await follow(change, options, `quorate watch ${id ?? `-e ${record.name}`}`);
    if (end === null) return;
    mustBeDone(end, change.id);
    process.stdout.write(`${end.result}\n`);
  } finally {
    await temporal.connection.close();
  }
}

/** Everything that happens, one line each, until Ctrl-C. */
async function everything(options: OutputOptions & { environment?: string }): Promise<void> {
  const { openEnvironment } = await import('./client.js');
  const { client } = await openEnvironment(options.environment);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  try {
    for await (const event of client.watch({ signal: stop.signal })) {
      if (options.format === 'tabular' && isFrequent(event)) continue;
      const line =
        options.format === 'tabular' ? `${new Date().toLocaleTimeString()}  ${textOf(event)}` : JSON.stringify(event);
      process.stdout.write(`${line}\n`);
    }
  } finally {
    client.close();
  }
}

/** What comes many times a second while all is well: that a command has written something more. */
function isFrequent({ kind, document }: { readonly kind: string; readonly document: unknown }): boolean {
  if (kind !== 'operation-result' || document === null) return false;
  const { state, chunks } = document as Result;
  return state === 'running' && chunks > 0;
}

/** An event as a person reads it, in one line. */
export function textOf({ kind, id, document }: { kind: string; id: string; document: unknown }): string {
  if (document === null) return `${kind} ${id} is gone`;
  return kind === 'evidence'
    ? `evidence  ${evidence(document as SeenByTheSentinel)}`
    : `${kind} ${id}  ${brief(document)}`;
}

interface SeenByTheSentinel {
  readonly controllers: readonly {
    machine: string;
    verdict: string;
    since: string;
    next: string;
    nextAt: string | null;
  }[];
}

/** Who is not well since when, and what happens next. */
function evidence({ controllers }: SeenByTheSentinel): string {
  if (controllers.length === 0) return 'all controllers are well';
  const clock = (iso: string) => new Date(iso).toLocaleTimeString();
  return controllers
    .map(({ machine, verdict, since, next, nextAt }) => {
      const then = next === '' ? '' : nextAt ? `; at ${clock(nextAt)}: ${next}` : `; ${next}`;
      return `machine ${machine}: ${verdict} since ${clock(since)}${then}`;
    })
    .join('. ');
}

/** The fields of a document that a person reads, without what is long or nested. */
function brief(document: unknown): string {
  return Object.entries(document as Record<string, unknown>)
    .filter(([key, value]) => key !== '_id' && (typeof value === 'string' || typeof value === 'number') && value !== '')
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}
