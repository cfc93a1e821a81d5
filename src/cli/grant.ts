import type { Command } from 'commander';
import { formatOf, type OutputOptions, print, withEnvironment, withFormat } from './output.js';
import { changeUser, roleNamed, userPath } from './user-requests.js';

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .argument('<name>', 'the user')
    .argument('<role>', 'read, write or admin')
    .addHelpText(
      'after',
      '\nWith another role than before the user has to log in again.\n\nExample:\n  quorate grant bob write',
    )
    .action(async (name: string, text: string, options: OutputOptions & { environment?: string }) => {
      const role = roleNamed(text);
      formatOf(options);
      const { openEnvironment } = await import('./client.js');
      const { client, record } = await openEnvironment(options.environment);
      try {
        const user = await changeUser(client, 'PUT', userPath(name, '/role'), { role });
        await print(user, options, () => `${name} may ${role} ${record.name}.`);
      } finally {
        await client.close();
      }
    });
}
