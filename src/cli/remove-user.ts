import type { Command } from 'commander';
import { formatOf, type OutputOptions, print, withEnvironment, withFormat } from './output.js';
import { changeUser, userPath } from './user-requests.js';

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .argument('<name>', 'the user')
    .addHelpText('after', '\nThe user is logged out everywhere.\n\nExample:\n  quorate remove-user bob')
    .action(async (name: string, options: OutputOptions & { environment?: string }) => {
      formatOf(options);
      const { openEnvironment } = await import('./client.js');
      const { client, record } = await openEnvironment(options.environment);
      try {
        await changeUser(client, 'DELETE', userPath(name));
        await print({ name, removed: true }, options, () => `${record.name} has no user ${name} any more.`);
      } finally {
        await client.close();
      }
    });
}
