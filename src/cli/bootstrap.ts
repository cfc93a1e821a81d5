import { randomBytes, randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Command } from 'commander';
import { duration } from '../api/duration.js';
import type { CloudSettings } from '../cloud/cloud.js';
import { CLOUDS, type CloudKind, cloudKind } from '../cloud/open.js';
import type { Engine } from '../engine/engine.js';
import { QuorateError, usageError } from '../errors.js';
import { constraintsText, parseConstraints } from '../machines/constraints.js';
import { controllersOf } from '../membership/goal.js';
import { CONTROLLER_CONSTRAINTS } from '../state/controller-constraints.js';
import { checkSetting } from '../state/settings.js';
import { validateEnvironmentName } from '../store/names.js';
import { openStore, type Store } from '../store/store.js';
import { followChange, type StartedChange, startChange } from '../temporal/changes.js';
import type { Temporal } from '../temporal/connect.js';
import { changeId } from '../temporal/names.js';
import type { Progress } from '../temporal/progress.js';
import { type Asked, type CheckOptions, checkCloud, checkRegionOf } from './bootstrap-checks.js';
import { didYouMean } from './environment.js';
import { follow, mustBeDone } from './follow.js';
import type { OutputOptions } from './output.js';
import { changeInput, connectEngine, noteSearchAttributes } from './temporal.js';

interface Options extends OutputOptions, CheckOptions {
  readonly n: string;
  readonly config?: string[];
  readonly constraints?: string[];
  readonly detach?: boolean;
  readonly keepBroken?: boolean;
}

export function configure(command: Command): void {
  command
    .argument('<cloud>', 'local, or CLOUD/REGION: local/namespace, ec2/eu-west-1')
    .argument('[environment]', 'its name (default: the name of the cloud)')
    .option('-n <controllers>', 'how many controllers it starts with: 1, 3, 5 or 7', '1')
    .option(
      '--constraints <key=value...>',
      'what its controllers must at least be: cores, mem, disk, zone, instance-type',
    )
    .option('--config <key=value...>', 'settings it starts with')
    .option('--detach', 'start it and return at once')
    .option('--allow-loopback-temporal', 'on EC2: instances reach a Temporal at 127.0.0.1 by a way of their own')
    .option('--keep-broken', 'on EC2: a bootstrap that fails is not taken back, for a look at what there is')
    .option('--ascii', 'plain ASCII instead of symbols')
    .addHelpText(
      'after',
      '\nOn EC2 everything is looked at before anything is started (quorate ec2 check REGION shows it all), and what QUORATE_EC2_* say\nis kept with the environment. A bootstrap that fails there while this command waits is taken back.\n\nExamples:\n  quorate bootstrap local demo\n  quorate bootstrap local prod -n 3 --config heartbeat-interval=200ms\n  quorate bootstrap local/ports demo\n  quorate bootstrap local prod --constraints "mem=2G zone=a,b"\n  quorate bootstrap local/namespace lab -n 3\n  quorate bootstrap ec2/eu-west-1 prod -n 3',
    )
    .action(async (place: string, name: string | undefined, options: Options) => {
      const wanted = await wantedFrom(place, name, options);
      const store = await openStore();
      await refuseExisting(store, wanted.name);
      for (const note of await checkCloud(store, wanted, options)) process.stderr.write(`note: ${note}\n`);
      const [{ ensureEngine }, { requireServer, telling }] = await Promise.all([
        import('../engine/engine.js'),
        import('./servers.js'),
      ]);
      // Machines of the local cloud run what is found here.
      if (wanted.cloud === 'local') await requireServer('mongod', store.dirs.toolchain);
      const engine = await ensureEngine(store.dirs, telling);
      noteSearchAttributes(engine);
      const temporal = await connectEngine(engine);
      try {
        const began = performance.now();
        const change = await start(store, engine, wanted, temporal);
        const again = `quorate watch -e ${wanted.name}`;
        process.stdout.write(
          `${wanted.name}: starting on ${wanted.cloud}${change.url ? `\nfollow: ${change.url}` : ''}\n\n`,
        );
        if (options.detach) {
          process.stderr.write(`It goes on by itself. Follow it with: ${again}\n`);
          return;
        }
        const end = await follow(change, options, again);
        if (end === null) return;
        mustBeDone(await takenBack(store, wanted, end, options), `the bootstrap of ${wanted.name}`);
        process.stdout.write(`${end.result}. ${duration((performance.now() - began) / 1000)}\n`);
      } finally {
        await temporal.connection.close();
      }
    });
}

/** How it ended. What a failed one has started where that costs money is ended too, unless it is to be kept. */
async function takenBack(store: Store, { name, cloud }: Asked, end: Progress, options: Options): Promise<Progress> {
  if (end.state === 'done' || cloud === 'local' || options.keepBroken) return end;
  process.stderr.write(`\nThe bootstrap failed: ${end.result}\nWhat it has started is taken back.\n\n`);
  const { destroyEnvironment } = await import('./destroy-environment.js');
  await destroyEnvironment(store, name, { ...options, force: true });
  return { ...end, wayOut: 'What it had started was taken back; --keep-broken keeps it for a look.' };
}

/** The same for other commands: bootstraps and waits. */
export async function bootstrapEnvironment(store: Store, engine: Engine, wanted: Asked): Promise<void> {
  await refuseExisting(store, wanted.name);
  const temporal = await connectEngine(engine);
  try {
    const change = await start(store, engine, wanted, temporal);
    const end = await followChange(change, () => undefined);
    if (end === null) throw new QuorateError('not-followed', `the bootstrap of ${wanted.name} could not be followed.`);
    mustBeDone(end, `the bootstrap of ${wanted.name}`);
  } finally {
    await temporal.connection.close();
  }
}

/**
 * The record and machine 0's token are written first: from them the engine's worker knows the environment, and whatever
 * dies from here on, the bootstrap goes on or can be taken back.
 */
async function start(
  store: Store,
  engine: Engine,
  { name, cloud, region, controllers, settings }: Asked,
  temporal: Temporal,
): Promise<StartedChange> {
  const cloudSettings = await cloudSettingsOf(cloud);
  const record = {
    name,
    uuid: randomUUID(),
    cloud,
    region,
    ...(cloudSettings === null ? {} : { cloudSettings }),
    addresses: { version: 0, servers: [] },
    url: '',
    temporal: { address: engine.address, namespace: engine.namespace, clusterId: engine.clusterId },
    createdAt: new Date().toISOString(),
  };
  await store.writeEnvironment(record);
  await store.writeBootToken(name, randomBytes(32).toString('hex'));
  const input = {
    ...changeInput(record, engine),
    cloud,
    region,
    controllers,
    settings,
    temporal: { clusterId: engine.clusterId, namespace: engine.namespace },
  };
  let change: StartedChange;
  try {
    change = await startChange(temporal, 'bootstrap', input);
  } catch (error) {
    await forgetUnbegun(store, temporal, name, input.key);
    throw error;
  }
  await store.setCurrent(name);
  return change;
}

/** Where Temporal did not start the bootstrap nothing of it stays; an answer that was lost is no such word. */
async function forgetUnbegun(store: Store, { client }: Temporal, name: string, key: string): Promise<void> {
  const bootstrap = client.workflow.getHandle(changeId(key, 'bootstrap'));
  const begun = await client
    .withDeadline(Date.now() + 5000, () => bootstrap.describe())
    .then(
      () => true,
      (error) => !(error instanceof WorkflowNotFoundError),
    );
  if (!begun) return await store.removeEnvironment(name);
  process.stderr.write(
    `note: the bootstrap may have begun. Follow it with: quorate watch -e ${name}, or end it with: quorate destroy-environment ${name} --force\n`,
  );
}

async function wantedFrom(place: string, name: string | undefined, options: Options): Promise<Asked> {
  const [kind = '', ...rest] = place.split('/');
  const region = rest.join('/');
  const cloud = cloudKind(kind, didYouMean(kind, CLOUDS));
  await checkRegionOf(cloud, region, name ?? 'NAME');
  const environment = name ?? cloud;
  validateEnvironmentName(environment);
  const asked = controllersOf(options.n);
  if (!asked.ok) throw usageError('bad-controllers', asked.message, asked.todo);
  return {
    name: environment,
    cloud,
    region,
    controllers: asked.controllers,
    settings: { ...settingsFrom(options.config ?? []), ...constraintsFrom(options.constraints ?? []) },
  };
}

function constraintsFrom(words: readonly string[]): Record<string, string> {
  const text = constraintsText(parseConstraints(words));
  return text === '' ? {} : { [CONTROLLER_CONSTRAINTS]: text };
}

function settingsFrom(words: readonly string[]): Record<string, string> {
  const strange = words.find((word) => !/^[^=]+=/.test(word));
  if (strange !== undefined) throw usageError('bad-setting', `'${strange}' is not of the form KEY=VALUE.`);
  const settings = Object.fromEntries(
    words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]),
  );
  for (const [key, value] of Object.entries(settings)) checkSetting(key, value);
  return settings;
}

/** What this shell says of how the environment shall lie on its cloud; null where there is nothing to say. */
async function cloudSettingsOf(cloud: CloudKind): Promise<CloudSettings | null> {
  if (cloud !== 'ec2') return null;
  const { settingsFrom } = await import('../cloud/ec2/settings.js');
  return { ...settingsFrom(process.env) };
}

async function refuseExisting(store: Store, name: string): Promise<void> {
  if ((await store.readEnvironment(name)) === null) return;
  throw usageError(
    'environment-exists',
    `there is an environment '${name}' already.`,
    `Use another name, look at it with: quorate status -e ${name}, or end it with: quorate destroy-environment ${name}`,
  );
}
