import type { Command } from 'commander';
import { parsePorts } from '../machines/ports.js';
import { oneMachine } from './enable-ha.js';
import { changeExposed } from './exposed.js';
import { type OutputOptions, withEnvironment, withFormat } from './output.js';

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
      await changeExposed(machine, { unexpose: ports }, options);
    });
}
