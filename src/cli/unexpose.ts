import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { parsePorts } from '../machines/ports.js';
import { oneMachine } from './enable-ha.js';
import { asUsage, tellIngress, untilOpen } from './exposed.js';
import { formatOf, type OutputOptions, print, withEnvironment, withFormat } from './output.js';

interface Options extends OutputOptions {
  readonly environment?: string;
}

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .argument('<machine>', 'whose ports')
    .argument('<port...>', 'as they were exposed: 80, 53/udp, 8000-8010/tcp')
    .addHelpText(
      'after',
      '\nConnections through them are cut.\n\nExamples:\n  quorate unexpose 3 80\n  quorate unexpose 3 443 8000-8010/tcp',
    )
    .action(async (text: string, words: string[], options: Options) => {
      const machine = oneMachine(text);
      const ports = words.map(parsePorts);
      formatOf(options);
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        const path = `/v1/machines/${machine}/unexpose`;
        await asUsage(client.request('POST', path, { body: { ports }, idempotencyKey: randomUUID() }));
        const seen = await untilOpen(client, machine);
        await print(seen, options, () => tellIngress(seen));
      } finally {
        client.close();
      }
    });
}
