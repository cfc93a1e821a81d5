import type { Command } from 'commander';
import { duration } from '../api/duration.js';
import type { Machine, Machines } from '../api/machines.js';
import { exposureNotes } from './exposed.js';
import { columns, type OutputOptions, print, type Symbols, symbols, withEnvironment, withFormat } from './output.js';

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
          // Few are asked for with constraints, or have exposed ports: the columns are there when one is.
          const constrained = body.machines.some(({ constraints }) => constraints !== '');
          const exposed = body.machines.some(({ ports }) => ports.length > 0);
          const table = await columns(
            [
              'MACHINE',
              'INSTANCE',
              'ADDRESS',
              'ZONE',
              'AGENT',
              'LIFE',
              'JOBS',
              ...(exposed ? ['PORTS'] : []),
              ...(constrained ? ['TYPE', 'CONSTRAINTS'] : []),
            ],
            body.machines.map((machine) => [
              machine.id,
              machine.instance || sign.none,
              machine.address || sign.none,
              machine.zone || sign.none,
              agentText(machine),
              machine.life,
              machine.jobs.join(' ') || sign.none,
              ...(exposed ? [machine.ports.join(' ')] : []),
              ...(constrained ? [machine.instanceType || sign.none, machine.constraints] : []),
            ]),
          );
          return [
            table,
            ...failures(body.machines, sign),
            ...exposureNotes(body.machines, sign),
            ...maintained(body.machines, sign),
          ].join('\n');
        });
      } finally {
        client.close();
      }
    });
}

/** What the cloud says explains an agent that is not heard. */
export function agentText({ agent, instanceState }: Pick<Machine, 'agent' | 'instanceState'>): string {
  const off = instanceState !== '' && instanceState !== 'running' && instanceState !== 'pending';
  return agent !== 'started' && off ? `${agent} (${instanceState})` : agent;
}

/** Why instances could not be started. */
export function failures(
  machines: readonly Pick<Machine, 'id' | 'instance' | 'provisioningError'>[],
  sign: Symbols,
): string[] {
  return machines.flatMap(({ id, instance, provisioningError }) =>
    instance === '' && provisioningError !== ''
      ? [`  ${sign.note} ${id}: not started: ${provisioningError}; at once again: quorate retry-provisioning ${id}`]
      : [],
  );
}

/** Their end is by the database's clock; ours is near enough for people. */
function maintained(machines: readonly Machine[], sign: Symbols): string[] {
  return machines.flatMap(({ id, maintenanceUntil }) => {
    const left = (Date.parse(maintenanceUntil) - Date.now()) / 1000;
    return left > 0 ? [`  ${sign.note} ${id}: under maintenance for ${duration(left)}`] : [];
  });
}
