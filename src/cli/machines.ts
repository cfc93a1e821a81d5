import type { Command } from 'commander';
import type { Status } from '../api/status.js';
import { columns, type OutputOptions, print, symbols, withEnvironment, withFormat } from './output.js';

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .addHelpText('after', '\nExample:\n  quorate machines --format json')
    .action(async (options: OutputOptions & { environment?: string }) => {
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        const { body } = await client.request<{ machines: MachineRow[] }>('GET', '/v1/machines');
        const sign = symbols(options);
        await print(body.machines, options, () =>
          columns(
            ['MACHINE', 'INSTANCE', 'ADDRESS', 'ZONE', 'AGENT', 'LIFE', 'JOBS'],
            body.machines.map((machine) => [
              machine.id,
              machine.instance || sign.none,
              machine.address || sign.none,
              machine.zone || sign.none,
              machine.agent,
              machine.life,
              machine.jobs.join(' ') || sign.none,
            ]),
          ),
        );
      } finally {
        client.close();
      }
    });
}

type MachineRow = Status['machines'][number] & { zone?: string };
