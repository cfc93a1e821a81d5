import type { Command } from 'commander';
import type { Machine, Machines } from '../api/machines.js';
import {
  columns,
  duration,
  type OutputOptions,
  print,
  type Symbols,
  symbols,
  withEnvironment,
  withFormat,
} from './output.js';

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .addHelpText('after', '\nExample:\n  quorate machines --format json')
    .action(async (options: OutputOptions & { environment?: string }) => {
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        const { body } = await client.request<Machines>('GET', '/v1/machines');
        const sign = symbols(options);
        await print(body.machines, options, async () => {
          const table = await columns(
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
          );
          return [table, ...maintained(body.machines, sign)].join('\n');
        });
      } finally {
        client.close();
      }
    });
}

/** Their end is by the database's clock; ours is near enough for people. */
function maintained(machines: readonly Machine[], sign: Symbols): string[] {
  return machines.flatMap(({ id, maintenanceUntil }) => {
    const left = (Date.parse(maintenanceUntil) - Date.now()) / 1000;
    return left > 0 ? [`  ${sign.note} ${id}: under maintenance for ${duration(left)}`] : [];
  });
}
