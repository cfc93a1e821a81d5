import type { Command } from 'commander';
import type { Users } from '../api/users.js';
import { columns, type OutputOptions, print, since, symbols, withEnvironment, withFormat } from './output.js';

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .addHelpText(
      'after',
      '\nWho has a certificate is an admin without being listed here.\n\nExamples:\n  quorate users\n  quorate users --format json',
    )
    .action(async (options: OutputOptions & { environment?: string }) => {
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        const { users } = (await client.request<Users>('GET', '/v1/users')).body;
        await print(users, options, () =>
          users.length === 0
            ? 'No users yet: only certificates. Add one with: quorate add-user NAME'
            : columns(
                ['USER', 'ROLE', 'LAST LOGIN', 'ADDED', 'BY'],
                users.map(({ name, role, lastLoginAt, createdAt, createdBy }) => [
                  name,
                  role ?? 'revoked',
                  lastLoginAt === '' ? symbols(options).none : `${since(lastLoginAt)} ago`,
                  `${since(createdAt)} ago`,
                  createdBy,
                ]),
              ),
        );
      } finally {
        await client.close();
      }
    });
}
