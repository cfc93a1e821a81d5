import { randomInt } from 'node:crypto';
import { Command } from 'commander';
import { setup } from '../support/servers.js';
import { fuzz, outcomeText } from './fuzz.js';
import { ROLES } from './ground.js';

interface Options {
  readonly seed?: string;
  readonly minutes?: string;
  readonly inputs?: string;
  readonly examples: string;
}

/** A number that an option asks for, or the end of the program. */
function numberOf(name: string, text: string, lowest: number): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < lowest) program.error(`--${name} is a number of at least ${lowest}`);
  return value;
}

const program = new Command('fuzz')
  .description(
    'Every route of the API by its OpenAPI document, as everybody who may call, and random bytes on its port, in rounds.',
  )
  .option('--seed <n>', 'what everything is drawn from (default: a random one, which is printed)')
  .option('--minutes <n>', 'until so long (default 10, where no inputs are said)')
  .option('--inputs <n>', 'until so many inputs were sent')
  .option('--examples <n>', 'inputs that are drawn for each operation and role in a round', '40')
  .action(async (options: Options) => {
    const seed = options.seed === undefined ? randomInt(1, 2 ** 31) : numberOf('seed', options.seed, 0);
    const inputs = options.inputs === undefined ? 0 : numberOf('inputs', options.inputs, 1);
    const byTime = options.minutes !== undefined || inputs === 0;
    const minutes = byTime ? numberOf('minutes', options.minutes ?? '10', 0.1) : 0;
    await setup();
    process.stdout.write(`fuzz --seed ${seed}\n`);
    const outcome = await fuzz({
      seed,
      examples: numberOf('examples', options.examples, 1),
      edges: ROLES,
      bytes: 100_000,
      goesOn: (sofar) => sofar.inputs < inputs || sofar.seconds < minutes * 60,
      tell: (line) => process.stdout.write(`${line}\n`),
    });
    process.stdout.write(`${outcomeText(outcome)}\n`);
    if (outcome.defects.length > 0) process.exitCode = 1;
  });

await program.parseAsync();
