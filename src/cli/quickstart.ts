import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { duration } from '../api/duration.js';
import type { ApiClient } from '../client/client.js';
import { SteadyWriter } from '../client/steady-writer.js';
import { CLOUDS, cloudKind } from '../cloud/open.js';
import { QuorateError, usageError } from '../errors.js';
import type { Store } from '../store/store.js';
import type { Asked } from './bootstrap-checks.js';
import { chaosStory, ordinaryStory, rentedStory } from './demonstration.js';
import { chooseEnvironment, didYouMean } from './environment.js';
import { type OutputOptions, symbols } from './output.js';
import { Parts } from './parts.js';
import type { OnEc2 } from './quickstart-ec2.js';

interface Options extends OutputOptions, OnEc2 {
  readonly cleanup?: boolean;
  readonly chaos?: boolean;
  readonly cloud: string;
}

/** Between two writes of the client: without it the client alone would keep a processor busy. */
const WRITER_PAUSE_MS = 20;

export function configure(command: Command): void {
  command
    .option('-e, --environment <name>', 'name of the environment to make', 'demo')
    .option('--chaos', 'lose an instance for good, the primary, and a link (Linux, root)')
    .option('--cloud <cloud>', `where its machines are: ${CLOUDS.join(', ')}`, 'local')
    .option('--region <region>', "on EC2: where (default: the AWS SDK's own setting)")
    .option('--endpoint <url>', 'on EC2: what answers as EC2, S3, SSM and STS do (default: Amazon itself)')
    .option('--yes', 'on EC2: do not ask, although it costs money')
    .option('--cleanup', 'remove all that a quickstart left')
    .option('--ascii', 'plain ASCII instead of symbols')
    .addHelpText(
      'after',
      '\nMakes an environment on this machine out of real processes, adds two workload machines and grows to three\ncontrollers while a client writes, kills the primary and powers a controller off while a command runs on the machines,\ngoes back to one, and counts what was lost. It leaves the environment running.\n\nOn EC2 its machines are instances, up to six of them at once, which cost money until --cleanup has ended them; the primary\nis lost by terminating its instance. It needs what a bootstrap there needs (docs/ec2.md): credentials, a Temporal that\ninstances reach, and QUORATE_EC2_INSTANCE_PROFILE for what is read from its bucket.\n\nExamples:\n  quorate quickstart\n  quorate quickstart --chaos\n  quorate quickstart --cloud ec2 --region eu-west-1\n  quorate quickstart --cleanup',
    )
    .action((options: Options) => (options.cleanup ? cleanup(options) : demonstrate(options)));
}

async function demonstrate(options: Options): Promise<void> {
  const { openStore } = await import('../store/store.js');
  const { bootstrapEnvironment } = await import('./bootstrap.js');
  const { openClient } = await import('../client/open.js');
  const { cloudOf } = await import('./open-cloud.js');
  const { ensureEngine } = await import('../engine/engine.js');
  const { requireServer, telling } = await import('./servers.js');
  const store = await openStore();
  const asked = await askedFor(options);
  const { name } = asked;
  await refuseExisting(store, name);
  const began = performance.now();
  let writer: SteadyWriter | null = null;
  let client: ApiClient | null = null;
  const parts = new Parts(symbols(options), () => writer);
  const part: Parts['part'] = (...words) => parts.part(...words);
  process.stdout.write('Quorate quickstart: an environment, made highly available, broken, and brought back.\n\n');
  if (asked.cloud === 'ec2') await (await import('./quickstart-ec2.js')).readyOnEc2(store, asked, parts, options);
  process.once('SIGINT', () => {
    process.stderr.write(
      `\nStopped while ${parts.now}. What was started is still running; remove all of it with: ${cleanupOf(name)}\n`,
    );
    process.exit(130);
  });
  try {
    if (asked.cloud === 'local') {
      await part(
        'looking for temporal and mongod',
        async () => ({
          temporal: await requireServer('temporal', store.dirs.toolchain),
          mongod: await requireServer('mongod', store.dirs.toolchain),
        }),
        ({ temporal, mongod }) =>
          `temporal ${temporal.version} (${temporal.source}) and mongod ${mongod.version} (${mongod.source})`,
      );
    }
    const engine = await part(
      'starting Temporal',
      () => ensureEngine(store.dirs, telling),
      (running) => `Temporal is up   ${running.uiUrl ?? running.address}`,
    );
    await part(
      'starting the environment',
      () => bootstrapEnvironment(store, engine, asked),
      `Environment "${name}" with one controller`,
    );
    const api = await openClient(store, name);
    client = api;
    writer = new SteadyWriter(api, `quickstart-${randomBytes(3).toString('hex')}`);
    writer.start(WRITER_PAUSE_MS);
    process.stdout.write('  A client now writes through the API all the time; each write is counted and kept.\n');
    const cloud = await cloudOf(store, await chooseEnvironment(store, name));
    const scene = { store, engine, environment: name, client: api, parts };
    if (cloud.kind === 'ec2') await rentedStory({ ...scene, cloud });
    else await (options.chaos ? chaosStory : ordinaryStory)({ ...scene, cloud });

    await writer.stop();
    const missing = await writer.missing();
    const seconds = (performance.now() - began) / 1000;
    process.stdout.write(
      `\nAcknowledged ${writer.acknowledged.toLocaleString('en')} writes, lost ${missing.length}.${writer.unknown > 0 ? ` Of ${writer.unknown} more nobody can know.` : ''} ${duration(seconds)} in all.\n`,
    );
    if (writer.errors.length > 0) {
      process.stdout.write(
        `${writer.errors.length} writes were answered with an error; the first: ${writer.errors[0]}\n`,
      );
    }
    if (missing.length > 0) {
      throw new QuorateError('writes-lost', `acknowledged writes are missing: ${missing.slice(0, 5).join(', ')}.`, {
        todo: 'Please report it; keep the environment and its logs: quorate changes, quorate cloud log MACHINE.',
      });
    }
    process.stdout.write(
      [
        '',
        `The environment is still running${asked.cloud === 'ec2' ? ', and its instances cost money' : ''}. Look around:`,
        '  npx quorate status                  what is there',
        '  npx quorate enable-ha               three controllers again',
        `  npx quorate ui                      the same story in the Temporal UI${engine.uiUrl ? `: ${engine.uiUrl}` : ''}`,
        `  ${cleanupOf(name)}    remove all of it`,
        '',
      ].join('\n'),
    );
  } catch (error) {
    process.stderr.write(
      `\nFailed while ${parts.now}. Look with: npx quorate status, npx quorate changes, npx quorate ui; remove all of it with: ${cleanupOf(name)}\n`,
    );
    throw error;
  } finally {
    if (writer) await writer.stop();
    client?.close();
  }
}

/** What is to be started; refuses words that do not go together. */
async function askedFor(options: Options): Promise<Asked> {
  const { cloud: named, chaos, environment: name } = options;
  const cloud = cloudKind(named, didYouMean(named, CLOUDS));
  if (cloud === 'ec2') {
    if (!chaos) return await (await import('./quickstart-ec2.js')).askedOnEc2(options);
    throw usageError('local-only', 'links can be cut on the local cloud alone.', 'Leave out --chaos, or --cloud.');
  }
  const strange = (['region', 'endpoint', 'yes'] as const).find((option) => options[option] !== undefined);
  if (strange !== undefined) throw usageError('ec2-only', `--${strange} is for EC2.`, 'Say --cloud ec2 with it.');
  // Links can be cut only where each instance has a network of its own.
  return { name, cloud, region: chaos ? 'namespace' : '', controllers: 1, settings: {} };
}

async function refuseExisting(store: Store, name: string): Promise<void> {
  if ((await store.readEnvironment(name)) === null) return;
  throw usageError(
    'environment-exists',
    `there is an environment '${name}' already.`,
    `Remove it with: ${cleanupOf(name)}      or use another name: npx quorate quickstart -e other`,
  );
}

const cleanupOf = (name: string): string => `npx quorate quickstart --cleanup${name === 'demo' ? '' : ` -e ${name}`}`;

async function cleanup(options: Options): Promise<void> {
  const { openStore } = await import('../store/store.js');
  const { destroyEnvironment } = await import('./destroy-environment.js');
  const store = await openStore();
  if (await store.readEnvironment(options.environment)) {
    // What was interrupted may be in the middle of a change, or without a majority.
    const end = await destroyEnvironment(store, options.environment, { ...options, force: true });
    if (end === null) return;
    process.stdout.write(`Removed the environment "${options.environment}".\n`);
  } else process.stdout.write(`There is no environment "${options.environment}".\n`);
  const others = await store.listEnvironments();
  if (others.length > 0) {
    process.stdout.write(`Temporal keeps running for: ${others.join(', ')}.\n`);
    return;
  }
  const { removeEngine } = await import('../engine/engine.js');
  const { configuredTemporal } = await import('../temporal/connect.js');
  const own = await configuredTemporal();
  await removeEngine(store.dirs);
  const temporal =
    own === null ? 'Stopped Temporal and removed its database' : `Temporal at ${own.address} is left alone`;
  process.stdout.write(`${temporal}. Nothing of Quorate runs any more.\n`);
}
