import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { type AddedMachines, type AddMachines, MOST_MACHINES } from '../api/machines.js';
import { usageError } from '../errors.js';
import { constraintsText, parseConstraints } from '../machines/constraints.js';
import { formatOf, type OutputOptions, print, withEnvironment, withFormat } from './output.js';

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly n: string;
  readonly constraints?: string[];
}

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .option('-n <machines>', `how many, at most ${MOST_MACHINES} at once`, '1')
    .option('--constraints <key=value...>', 'what they must at least be: cores, mem, disk, zone, instance-type')
    .addHelpText(
      'after',
      '\nThe machines are there at once, their instances a little later: see quorate machines. They are spread over the zones, unless zone says where.\n\nExamples:\n  quorate add-machine\n  quorate add-machine -n 3 --constraints "cores=2 mem=4G"\n  quorate add-machine --constraints zone=a,b --constraints instance-type=local.large',
    )
    .action(async (options: Options) => {
      // Refused before anything is asked.
      const constraints = parseConstraints(options.constraints ?? []);
      const body: AddMachines = { count: countOf(options.n), constraints };
      formatOf(options);
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        const answer = await client.request<AddedMachines>('POST', '/v1/machines', {
          body,
          idempotencyKey: randomUUID(),
        });
        await print({ ...answer.body, constraints: constraintsText(constraints) }, options, () => told(answer.body));
      } finally {
        client.close();
      }
    });
}

function countOf(text: string): number {
  const todo = `Ask for 1 to ${MOST_MACHINES}.`;
  if (!/^[+-]?\d+$/.test(text)) throw usageError('bad-count', `'${text}' is no number of machines.`, todo);
  const count = Number(text);
  if (count < 1) throw usageError('bad-count', `${text} machines cannot be added.`, todo);
  if (count > MOST_MACHINES) {
    throw usageError('bad-count', `${text} machines are too many for one command: at most ${MOST_MACHINES}.`, todo);
  }
  return count;
}

function told({ machines }: AddedMachines): string {
  const [first, last] = [machines[0], machines.at(-1)];
  const which = machines.length === 1 ? `machine ${first}` : `machines ${first} to ${last}`;
  return `Added ${which}. See when ${machines.length === 1 ? 'it is' : 'they are'} up with: quorate machines`;
}
