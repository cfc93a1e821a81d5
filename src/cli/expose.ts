import type { Command } from 'commander';
import { parseCidrs } from '../machines/cidrs.js';
import { withExposed } from '../machines/exposure.js';
import { parsePorts } from '../machines/ports.js';
import { oneMachine } from './enable-ha.js';
import { changeExposed } from './exposed.js';
import { type OutputOptions, withEnvironment, withFormat } from './output.js';

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly cidr?: string[];
  readonly toCidrs?: string[];
}

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .argument('<machine>', 'whose ports')
    .argument('<port...>', '80, 53/udp, 8000-8010/tcp; without a protocol it is tcp')
    .option('--cidr <network...>', 'for these networks alone, as 10.0.0.0/8; default: for everybody')
    .option('--to-cidrs <network...>', 'the same')
    .addHelpText(
      'after',
      '\nThe ports are let in to at the machine’s public address: see quorate machines. Exposed again with other networks, they are for those.\n\nExamples:\n  quorate expose 3 80\n  quorate expose 3 443 8000-8010/tcp 53/udp\n  quorate expose 3 5432 --cidr 10.0.0.0/8 192.168.0.0/16',
    )
    .action(async (text: string, words: string[], options: Options) => {
      // Refused before anything is asked, but for what only the machine's document says.
      const machine = oneMachine(text);
      const cidrs = parseCidrs([...(options.cidr ?? []), ...(options.toCidrs ?? [])]);
      const rules = words.map((word) => ({ ...parsePorts(word), cidrs }));
      withExposed({ id: machine, life: 'alive', rules: [] }, rules);
      await changeExposed(machine, { expose: rules }, options);
    });
}
