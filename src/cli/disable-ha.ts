import type { Command } from 'commander';
import { machineList } from './enable-ha.js';
import { type OutputOptions, withEnvironment, withFormat } from './output.js';

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly keep?: string;
  readonly plan?: boolean;
  readonly detach?: boolean;
}

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .option('--keep <machine>', 'the controller that stays (default: the present primary)')
    .option('--plan', 'say what would be done; do nothing')
    .option('--detach', 'start it and return at once')
    .addHelpText('after', '\nExamples:\n  quorate disable-ha\n  quorate disable-ha --keep 1 --plan')
    .action(async (options: Options) => {
      const { changeCommand } = await import('./change-controllers.js');
      await changeCommand(
        { kind: 'disable-ha', ...(options.keep === undefined ? {} : { keep: machineList(options.keep) }) },
        options,
      );
    });
}
