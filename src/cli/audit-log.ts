import type { Command } from 'commander';
import type { Audit, AuditEntry } from '../api/users.js';
import { columns, formatOf, type OutputOptions, print, withEnvironment, withFormat } from './output.js';
import { count } from './quantities.js';

const MOST = 1000;

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly user?: string;
  readonly n: string;
}

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .option('-n <count>', 'how many, the latest ones', '50')
    .option('--user <name>', 'of one user only')
    .addHelpText(
      'after',
      '\nChanges through the API, done or refused, logins and failed logins, kept for 90 days. Changes of controllers: quorate changes.\n\nExamples:\n  quorate audit-log\n  quorate audit-log --user bob -n 10\n  quorate audit-log --format json',
    )
    .action(async (options: Options) => {
      const limit = count(options.n, MOST);
      formatOf(options);
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        const query = new URLSearchParams({ limit: String(limit), ...(options.user ? { user: options.user } : {}) });
        const { entries } = (await client.request<Audit>('GET', `/v1/audit?${query}`)).body;
        await print(entries, options, () =>
          entries.length === 0
            ? 'Nothing yet.'
            : columns(
                ['TIME', 'USER', 'FROM', 'CONTROLLER', 'DID', 'TO', 'RESULT'],
                [...entries]
                  .reverse()
                  .map((entry) => [
                    entry.at,
                    entry.user || '(unknown)',
                    entry.from,
                    entry.machine,
                    entry.route,
                    entry.target,
                    resultOf(entry),
                  ]),
              ),
        );
      } finally {
        await client.close();
      }
    });
}

const resultOf = ({ status, code }: AuditEntry): string => (code === '' ? 'done' : `${status} ${code}`);
