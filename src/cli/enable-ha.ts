import type { Command } from 'commander';
import { usageError } from '../errors.js';
import { constraintsText, parseConstraints } from '../machines/constraints.js';
import { controllersOf } from '../membership/goal.js';
import { type OutputOptions, withEnvironment, withFormat } from './output.js';

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly n?: string;
  readonly to?: string;
  readonly constraints?: string[];
  readonly plan?: boolean;
  readonly detach?: boolean;
}

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .option('-n <controllers>', '3, 5 or 7, up or down (default: what was asked for before, at least 3)')
    .option('--to <machines>', 'machines that become controllers before new ones are started: 3,4')
    .option(
      '--constraints <key=value...>',
      'what new controllers must at least be, now and later: cores, mem, disk, zone, instance-type',
    )
    .option('--plan', 'say what would be done; do nothing')
    .option('--detach', 'start it and return at once')
    .addHelpText(
      'after',
      '\nA controller that cannot come back is given up and another one takes its place. What --constraints says is kept as the setting\ncontroller-constraints, also for those that replace a lost one; --constraints "" takes it back.\n\nExamples:\n  quorate enable-ha\n  quorate enable-ha -n 5 --plan\n  quorate enable-ha --to 3,4 --detach',
    )
    .action(async (options: Options) => {
      if (options.n !== undefined) {
        // Refused before anything is asked or started.
        const asked = controllersOf(options.n);
        if (!asked.ok) throw usageError('bad-controllers', asked.message, asked.todo);
        if (asked.controllers === 1) {
          throw usageError('bad-controllers', 'one controller is no HA.', 'Go back to one with: quorate disable-ha');
        }
      }
      const constraints = options.constraints && constraintsText(parseConstraints(options.constraints));
      const { changeCommand } = await import('./change-controllers.js');
      await changeCommand(
        {
          kind: 'enable-ha',
          ...(options.n === undefined ? {} : { n: options.n }),
          ...(options.to === undefined ? {} : { to: machineList(options.to) }),
          ...(constraints === undefined ? {} : { constraints }),
        },
        options,
      );
    });
}

/** "3" as the one machine ID that it must be. */
export function oneMachine(text: string): string {
  const [id = '', ...more] = machineList(text);
  if (more.length === 0) return id;
  throw usageError('bad-machine', `'${text}' names ${more.length + 1} machines; one is meant.`, 'One after the other.');
}

/** "3,4" as machine IDs. */
export function machineList(text: string): string[] {
  const ids = text.split(',').map((id) => id.trim());
  const strange = ids.find((id) => !/^\d+$/.test(id));
  if (strange !== undefined) {
    throw usageError(
      'bad-machine',
      `'${strange}' is no machine ID.`,
      'Machines are named by numbers: 3,4. See them with: quorate machines',
    );
  }
  return ids;
}
