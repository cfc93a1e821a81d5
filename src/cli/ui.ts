import type { Command } from 'commander';
import { environmentKey } from '../temporal/names.js';
import { withEnvironment } from './output.js';

export function configure(command: Command): void {
  withEnvironment(command)
    .addHelpText('after', '\nPrints the address; open it in a browser.\n\nExample:\n  quorate ui')
    .action(async (options: { environment?: string }) => {
      const { openTemporal } = await import('./temporal.js');
      const { temporal, record } = await openTemporal(options.environment);
      try {
        if (!temporal.uiUrl) {
          process.stdout.write(
            `The UI of the Temporal at ${temporal.address} is not known from here; look for workflows that begin with ${record.name}-\n`,
          );
          return;
        }
        // Its changes and its singletons, also where nobody may register search attributes.
        const query = encodeURIComponent(`WorkflowId STARTS_WITH "${environmentKey(record.name, record.uuid)}:"`);
        process.stdout.write(`${temporal.uiUrl}/namespaces/${temporal.namespace}/workflows?query=${query}\n`);
      } finally {
        await temporal.connection.close();
      }
    });
}
