import type { Command } from 'commander';
import { duration } from '../api/duration.js';
import type { SingletonSeen } from '../temporal/see-singletons.js';
import { columns, type OutputOptions, print, since, symbols, withEnvironment, withFormat } from './output.js';

/** So many hand-overs are told in the table, the newest; programs are given all that Temporal still knows. */
const TOLD = 10;

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .option('--all', `all hand-overs that are known, not only the last ${TOLD}`)
    .addHelpText(
      'after',
      '\nA singleton is a workflow that exists once in an environment; whichever worker is free goes on with it.' +
        '\n\nExamples:\n  quorate singletons\n  quorate singletons --format json',
    )
    .action(async (options: OutputOptions & { environment?: string; all?: boolean }) => {
      const { openTemporal } = await import('./temporal.js');
      const { seeSingletons } = await import('../temporal/see-singletons.js');
      const { environmentKey } = await import('../temporal/names.js');
      const { temporal, record } = await openTemporal(options.environment);
      try {
        const seen = await seeSingletons(temporal, environmentKey(record.name, record.uuid));
        await print(seen, options, () => table(seen, options));
      } finally {
        await temporal.connection.close();
      }
    });
}

async function table(seen: readonly SingletonSeen[], options: OutputOptions & { all?: boolean }): Promise<string> {
  const { none, arrow } = symbols(options);
  const ago = (iso: string | null) => (iso === null ? none : `${since(iso)} ago`);
  const rows = seen.flatMap(({ singleton, state, watch, doing, rounds }) => [
    [
      singleton,
      state,
      watch?.worker ?? none,
      watch === null ? none : since(watch.since),
      ago(watch?.lastHeartbeat ?? null),
      String(rounds),
    ],
    ...doing.map(({ activity, worker, since: began, lastHeartbeat }) => [
      `  ${activity}`,
      began === null ? 'waits' : 'runs',
      began === null ? none : worker,
      began === null ? none : since(began),
      ago(lastHeartbeat),
      '',
    ]),
  ]);
  const text = await columns(['SINGLETON', 'STATE', 'WORKER', 'SINCE', 'HEARD', 'ROUNDS'], rows);
  const moves = seen
    .flatMap(({ singleton, handOvers }) => handOvers.map((handOver) => ({ singleton, ...handOver })))
    .sort((a, b) => a.at.localeCompare(b.at));
  if (moves.length === 0) return `${text}\n\nNo hand-overs yet.`;
  const shown = options.all ? moves : moves.slice(-TOLD);
  const told = await columns(
    ['HAND-OVER', 'SINGLETON', 'FROM, TO', 'GAP', 'WHY'],
    shown.map(({ at, singleton, from, to, gapSeconds, why }) => [
      `${since(at)} ago`,
      singleton,
      `${from} ${arrow} ${to}`,
      duration(gapSeconds),
      why,
    ]),
  );
  const rest = moves.length - shown.length;
  return `${text}\n\n${told}${rest > 0 ? `\n${rest} earlier ones: --all` : ''}`;
}
