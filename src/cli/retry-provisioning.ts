import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { oneMachine } from './enable-ha.js';
import { formatOf, type OutputOptions, print, withEnvironment, withFormat } from './output.js';

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .argument('<machine>', 'a machine whose instance could not be started')
    .addHelpText(
      'after',
      '\nA start that failed is tried again by itself, after a longer pause each time; this ends the pause.\n\nExample:\n  quorate retry-provisioning 3',
    )
    .action(async (text: string, options: OutputOptions & { environment?: string }) => {
      const machine = oneMachine(text);
      formatOf(options);
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        const path = `/v1/machines/${encodeURIComponent(machine)}/retry-provisioning`;
        await client.request('POST', path, { idempotencyKey: randomUUID() });
        await print({ machine }, options, () => `The instance of machine ${machine} is tried again now.`);
      } finally {
        client.close();
      }
    });
}
