import type { Command } from 'commander';
import { oneMachine } from './enable-ha.js';
import { type OutputOptions, withEnvironment, withFormat } from './output.js';

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly plan?: boolean;
  readonly detach?: boolean;
}

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .argument('<machine>', 'the controller that leaves')
    .option('--plan', 'say what would be done; do nothing')
    .option('--detach', 'start it and return at once')
    .addHelpText(
      'after',
      '\nA new controller votes before the old one leaves, so that as many can be lost all the time.\n\nExamples:\n  quorate replace 1\n  quorate replace 1 --plan',
    )
    .action(async (machine: string, options: Options) => {
      const asked = { kind: 'replace', machine: oneMachine(machine) } as const;
      const { changeCommand } = await import('./change-controllers.js');
      await changeCommand(asked, options);
    });
}
