import type { Command } from 'commander';
import { formatOf, type OutputOptions, print, withEnvironment, withFormat } from './output.js';
import { changeUser, userPath } from './user-requests.js';

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .argument('<name>', 'the user')
    .addHelpText(
      'after',
      '\nThe user stays, is logged out everywhere and may do nothing until a role is granted again. To lower a role, grant the lower one.\n\nExample:\n  quorate revoke bob',
    )
    .action(async (name: string, options: OutputOptions & { environment?: string }) => {
      formatOf(options);
      const { openEnvironment } = await import('./client.js');
      const { client, record } = await openEnvironment(options.environment);
      try {
        const user = await changeUser(client, 'DELETE', userPath(name, '/role'));
        await print(
          user,
          options,
          () => `${name} may do nothing in ${record.name} any more. Give it back with: quorate grant ${name} ROLE`,
        );
      } finally {
        await client.close();
      }
    });
}
