import type { Command } from 'commander';
import type { StatusLog } from '../api/status-log.js';
import { columns, formatOf, type OutputOptions, print, withEnvironment, withFormat } from './output.js';
import { count } from './quantities.js';

const MOST = 1000;

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly n: string;
}

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .argument('<machine>', 'the machine, which may be gone')
    .option('-n <count>', 'how many, the latest ones', '20')
    .addHelpText(
      'after',
      '\nTimes are by the clock of the machine. What its agent could tell nobody when it happened is told later, in its place.\nKept for two weeks, the last 200 of each machine.\n\nExamples:\n  quorate show-status-log 3\n  quorate show-status-log 3 -n 100 --format json',
    )
    .action(async (machine: string, options: Options) => {
      const limit = count(options.n, MOST);
      formatOf(options);
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        const path = `/v1/machines/${encodeURIComponent(machine)}/status-log?limit=${limit}`;
        const { entries } = (await client.request<StatusLog>('GET', path)).body;
        await print(entries, options, () =>
          entries.length === 0
            ? 'Nothing yet.'
            : columns(
                ['TIME', 'WHAT', 'STATUS', 'MESSAGE'],
                [...entries].reverse().map(({ at, what, status, message }) => [at, what, status, message]),
              ),
        );
      } finally {
        await client.close();
      }
    });
}
