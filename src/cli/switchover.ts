import type { Command } from 'commander';
import { oneMachine } from './enable-ha.js';
import { type OutputOptions, withEnvironment, withFormat } from './output.js';

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly to?: string;
  readonly plan?: boolean;
  readonly detach?: boolean;
}

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .option('--to <machine>', 'the controller that becomes primary (default: the next in the order of succession)')
    .option('--plan', 'say what would be done; do nothing')
    .option('--detach', 'start it and return at once')
    .addHelpText(
      'after',
      '\nNobody is added or removed; writes pause for some hundredths of a second.\n\nExamples:\n  quorate switchover\n  quorate switchover --to 2 --plan',
    )
    .action(async (options: Options) => {
      const asked = {
        kind: 'switchover',
        ...(options.to === undefined ? {} : { to: oneMachine(options.to) }),
      } as const;
      const { changeCommand } = await import('./change-controllers.js');
      await changeCommand(asked, options);
    });
}
