import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { RemovedMachine } from '../api/machines.js';
import { oneMachine } from './enable-ha.js';
import { formatOf, type OutputOptions, print, withEnvironment, withFormat } from './output.js';

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly force?: boolean;
}

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .argument('<machine>', 'a machine that is no controller')
    .option('--force', 'end its instance without waiting for its agent, however silent it is')
    .addHelpText(
      'after',
      '\nIts agent finishes first; then its instance is ended and the machine forgotten. Controllers leave by quorate replace, quorate disable-ha or quorate enable-ha -n.\n\nExamples:\n  quorate remove-machine 3\n  quorate remove-machine 3 --force',
    )
    .action(async (text: string, options: Options) => {
      const machine = oneMachine(text);
      formatOf(options);
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        const path = `/v1/machines/${encodeURIComponent(machine)}${options.force ? '?force=true' : ''}`;
        const { body } = await client.request<RemovedMachine>('DELETE', path, { idempotencyKey: randomUUID() });
        await print(body, options, () => told(body));
      } finally {
        client.close();
      }
    });
}

function told({ machine, life, agent }: RemovedMachine): string {
  if (life === 'dead') return `Machine ${machine} is removed; its instance is being ended.`;
  if (agent === 'started')
    return `Machine ${machine} is being removed: its agent finishes, then its instance is ended.`;
  const silent = agent === 'stopped' ? 'has left' : 'is silent';
  return `Machine ${machine} is to be removed, but its agent ${silent}: that waits until it is heard again. End its instance now with: quorate remove-machine ${machine} --force`;
}
