import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { reasonOf } from '../../src/errors.js';
import { Home } from '../support/home.js';
import { whyNoNamespaces } from '../support/namespaces.js';
import { setup } from '../support/servers.js';
import { Ec2Site } from '../support/sites/ec2.js';
import { LocalSite } from '../support/sites/local.js';
import type { Site } from '../support/sites/site.js';
import { Campaign, scheduleWords } from './campaign.js';
import { hasPorcupine } from './linearizable.js';
import { type Abilities, plan, type Settings } from './schedule.js';

interface Options {
  readonly seed?: string;
  readonly minutes: string;
  readonly cloud: string;
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

/** What the build under test and this machine can do. */
async function abilitiesFor(cloud: Abilities['cloud']): Promise<Abilities> {
  const home = new Home();
  const help = await home.ok('--help');
  await home.close();
  const why = await whyNoNamespaces();
  if (cloud === 'ec2' && why !== '') program.error(`--cloud ec2 needs namespaces for its instances: ${why}`);
  const commands = [...help.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name ?? '');
  return { commands, namespaces: why === '', cloud };
}

async function siteFor({ terrain }: Settings): Promise<Site> {
  if (terrain.cloud === 'ec2') return await Ec2Site.open();
  return new LocalSite(terrain.cloud === 'local' ? '' : 'namespace');
}

const program = new Command('campaign')
  .description('Clients, operators and faults in random order on a real environment, then a check as Jepsen makes it.')
  .option('--seed <n>', 'what everything is drawn from (default: a random one, which is printed)')
  .option('--minutes <n>', 'how long', '3')
  .option('--cloud <name>', 'local, or ec2: an EC2 endpoint of its own, whose instances boot', 'local')
  .option('--schedule', 'print what would be done, and do nothing')
  .option('--keep', 'keep the files of a good run too')
  .option('--stay', 'when it failed, leave everything running until Ctrl-C')
  .action(async (options: Options) => {
    const seed = options.seed === undefined ? randomInt(1, 2 ** 31) : numberOf('seed', options.seed, 0);
    const minutes = numberOf('minutes', options.minutes, 0.1);
    const { cloud } = options;
    if (cloud !== 'local' && cloud !== 'ec2') return program.error('--cloud is local or ec2');
    const porcupine = hasPorcupine();
    await setup();
    const schedule = plan(seed, minutes, await abilitiesFor(cloud));
    if (options.schedule) {
      process.stdout.write(`${scheduleWords(schedule)}\n`);
      return;
    }
    const words = `--cloud ${cloud} --seed ${seed} --minutes ${minutes}`;
    process.stdout.write(`campaign ${words}\n`);
    const campaign = new Campaign(schedule, await siteFor(schedule.settings));
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
      process.stdout.write(`\nAgain: npm run campaign -- ${words}\nFiles: ${directory}\n`);
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
