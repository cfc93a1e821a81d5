import type { Command } from 'commander';
import type { WhoAmI } from '../api/users.js';
import { type OutputOptions, print, withEnvironment, withFormat } from './output.js';

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .addHelpText('after', '\nExamples:\n  quorate whoami\n  quorate whoami --format json')
    .action(async (options: OutputOptions & { environment?: string }) => {
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        const { body } = await client.request<WhoAmI>('GET', '/v1/whoami');
        const { user, role, by, expiresAt, environment } = body;
        const how = by === 'token' ? 'logged in' : 'by certificate';
        await print(body, options, () => `${user} (${role}) in ${environment.name}, ${how} until ${expiresAt}`);
      } finally {
        await client.close();
      }
    });
}
