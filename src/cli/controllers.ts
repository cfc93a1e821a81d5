import type { Command } from 'commander';
import type { Reach } from '../api/reach.js';
import type { Status } from '../api/status.js';
import { askControllers } from './ask-controllers.js';
import { type OutputOptions, print, symbols, withEnvironment, withFormat } from './output.js';
import { controllersText } from './status.js';

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .option('--matrix', 'who reaches whom, asked of each controller itself')
    .addHelpText('after', '\nExamples:\n  quorate controllers\n  quorate controllers --matrix')
    .action(async (options: OutputOptions & { environment?: string; matrix?: boolean }) => {
      const { openEnvironment } = await import('./client.js');
      const { client, record, store } = await openEnvironment(options.environment);
      try {
        const { body } = await client.request<Status>('GET', '/v1/status');
        if (options.matrix) {
          const { matrixOf, matrixText } = await import('./matrix.js');
          const matrix = matrixOf(body, await askControllers(store, record, body, (ask) => ask<Reach>('/v1/reach')));
          await print(matrix, options, () => matrixText(matrix, symbols(options)));
          return;
        }
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
