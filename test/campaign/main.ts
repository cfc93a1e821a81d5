import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { reasonOf } from '../../src/errors.js';
import { setup } from '../support/servers.js';
import { Campaign } from './campaign.js';
import { hasPorcupine } from './linearizable.js';

interface Options {
  readonly seed?: string;
  readonly minutes: string;
  readonly schedule?: boolean;
  readonly stay?: boolean;
  readonly keep?: boolean;
}

/** A number that an option asks for, or the end of the program. */
function numberOf(name: string, text: string, lowest: number): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < lowest) program.error(`--${name} is a number of at least ${lowest}`);
  return value;
}

const program = new Command('campaign')
  .description('Clients, operators and faults in random order on a real environment, then a check as Jepsen makes it.')
  .option('--seed <n>', 'what everything is drawn from (default: a random one, which is printed)')
  .option('--minutes <n>', 'how long', '3')
  .option('--schedule', 'print what would be done, and do nothing')
  .option('--keep', 'keep the files of a good run too')
  .option('--stay', 'when it failed, leave everything running until Ctrl-C')
  .action(async (options: Options) => {
    const seed = options.seed === undefined ? randomInt(1, 2 ** 31) : numberOf('seed', options.seed, 0);
    const minutes = numberOf('minutes', options.minutes, 0.1);
    const porcupine = hasPorcupine();
    await setup();
    const campaign = new Campaign(seed, minutes);
    if (options.schedule) {
      process.stdout.write(`${await campaign.describe()}\n`);
      return;
    }
    process.stdout.write(`campaign --seed ${seed} --minutes ${minutes}\n`);
    process.once('SIGINT', async () => {
      process.stderr.write('\nInterrupted: ending everything that was started.\n');
      await campaign.end(false);
      process.exit(130);
    });
    const result = await campaign.run().catch((error) => {
      campaign.story.tell('campaign', `broke off: ${error instanceof Error ? error.stack : String(error)}`);
      return { good: false, text: `The campaign itself broke off: ${reasonOf(error)}`, checks: 1, failed: 1 };
    });
    const directory = campaign.keep(result);
    process.stdout.write(`${result.text}\n`);
    if (!porcupine)
      process.stdout.write('Not checked: whether compare-and-set is linearizable, which takes Go (Porcupine).\n');
    report(result);
    if (!result.good) {
      process.stdout.write(`\nAgain: npm run campaign -- --seed ${seed} --minutes ${minutes}\nFiles: ${directory}\n`);
      process.exitCode = 1;
      if (options.stay) {
        process.stdout.write(`Everything is left running: QUORATE_HOME=${directory}. End it with Ctrl-C.\n`);
        await new Promise(() => setInterval(() => {}, 1000));
      }
    }
    await campaign.end(!result.good || options.keep === true);
  });

/** Counts for CI, in the form that vitest writes them. */
function report({ checks, failed }: { checks: number; failed: number }): void {
  const reports = process.env.QUORATE_TEST_REPORTS;
  if (!reports) return;
  mkdirSync(reports, { recursive: true });
  const counts = { numPassedTests: checks - failed, numFailedTests: failed };
  writeFileSync(join(reports, `campaign-${process.pid}.json`), JSON.stringify(counts));
}

await program.parseAsync();
