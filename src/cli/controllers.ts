import type { Command } from 'commander';
import type { Status } from '../api/status.js';
import { type OutputOptions, print, symbols, withEnvironment, withFormat } from './output.js';
import { controllersText } from './status.js';

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .addHelpText('after', '\nExample:\n  quorate controllers')
    .action(async (options: OutputOptions & { environment?: string }) => {
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        const { body } = await client.request<Status>('GET', '/v1/status');
        const table = { ha: haColumn(body), controllers: body.controllers };
        await print(
          table,
          options,
          async () => `${body.environment.name}   HA ${table.ha}\n\n${await controllersText(body, symbols(options))}`,
        );
      } finally {
        client.close();
      }
    });
}

/** Juju's HA column: `none`, `3`, or `2/3` when fewer are active. */
function haColumn({ ha }: Status): string {
  if (ha.desired <= 1) return 'none';
  return ha.healthyVoters === ha.desired ? String(ha.desired) : `${ha.healthyVoters}/${ha.desired}`;
}
