import type { Command } from 'commander';
import type { Instance } from '../cloud/cloud.js';
import { usageError } from '../errors.js';
import { columns, type OutputOptions, print, since, symbols, withEnvironment, withFormat } from './output.js';

interface Options extends OutputOptions {
  readonly environment?: string;
}

const acts = {
  stop: 'press the power button: the machine shuts down in order, and can start again',
  start: 'start a stopped instance again, with its disk',
  terminate: 'end an instance for good, with its disk',
  pause: 'freeze every process of an instance',
  resume: 'let a paused instance go on',
} as const;

/** The control panel does to an instance what a provider's console does, without asking anyone inside. */
export function configure(command: Command): void {
  command.addHelpText(
    'after',
    '\nAn instance is named by its ID or by its machine.\n\nExamples:\n  quorate cloud list\n  quorate cloud stop 2\n  quorate cloud terminate i-1f2e3d4c',
  );
  withEnvironment(withFormat(command.command('list').description('all instances of the environment')))
    .addHelpText('after', '\nExample:\n  quorate cloud list --format json')
    .action(list);
  for (const [name, description] of Object.entries(acts)) {
    withEnvironment(command.command(`${name} <instance>`).description(description))
      .addHelpText('after', `\nExample:\n  quorate cloud ${name} 1`)
      .action((instance: string, options: Options) => act(name as keyof typeof acts, instance, options));
  }
  withEnvironment(command.command('log <instance>').description("the instance's console"))
    .addHelpText('after', '\nExample:\n  quorate cloud log 1')
    .action(async (wanted: string, options: Options) => {
      const { cloud, instance } = await choose(wanted, options, true);
      process.stdout.write(await cloud.consoleLog(instance.id));
    });
}

async function open(options: Options) {
  const { openStore } = await import('../store/store.js');
  const { chooseEnvironment } = await import('./environment.js');
  const { openLocalCloud } = await import('../cloud/local/open.js');
  const store = await openStore();
  const record = await chooseEnvironment(store, options.environment);
  if (record.cloud !== 'local') {
    throw usageError(
      'not-local',
      `${record.name} runs on ${record.cloud}; this control panel is for the local cloud.`,
      "Use the provider's own console.",
    );
  }
  return { cloud: openLocalCloud(store.dirs.localCloud), record };
}

async function list(options: Options): Promise<void> {
  const { cloud, record } = await open(options);
  const instances = await cloud.list(record.uuid);
  const damaged = await cloud.problems(record.uuid);
  await print(instances, options, () =>
    columns(
      ['MACHINE', 'INSTANCE', 'STATE', 'ADDRESS', 'ZONE', 'SINCE', 'BY'],
      instances.map((instance) => [
        instance.tags.machine,
        instance.id,
        instance.state,
        instance.address || symbols(options).none,
        instance.zone,
        since(instance.startedAt),
        instance.cause,
      ]),
    ),
  );
  for (const problem of damaged) process.stderr.write(`quorate: ${problem}\n`);
}

async function choose(wanted: string, options: Options, terminatedToo = false) {
  const { cloud, record } = await open(options);
  const all = await cloud.list(record.uuid);
  const byId = all.find((instance) => instance.id === wanted);
  const ofMachine = all.filter((instance) => instance.tags.machine === wanted);
  const instance =
    byId ?? ofMachine.find(({ state }) => state !== 'terminated') ?? (terminatedToo ? ofMachine.at(-1) : undefined);
  if (instance) return { cloud, instance };
  const known = all.filter(({ state }) => state !== 'terminated').map((i: Instance) => `${i.tags.machine} (${i.id})`);
  throw usageError(
    'unknown-instance',
    ofMachine.length > 0
      ? `the instance of machine ${wanted} is terminated.`
      : `${record.name} has no instance '${wanted}'.`,
    known.length > 0 ? `There are: ${known.join(', ')}.` : 'There are none.',
  );
}

async function act(name: keyof typeof acts, wanted: string, options: Options): Promise<void> {
  const { cloud, instance } = await choose(wanted, options);
  const after = await {
    stop: () => cloud.stop(instance.id),
    start: () => cloud.startAgain(instance.id),
    terminate: () => cloud.terminate(instance.id),
    pause: () => cloud.pause(instance.id),
    resume: () => cloud.resume(instance.id),
  }[name]();
  process.stdout.write(`machine ${after.tags.machine} (${after.id}) is ${after.state}\n`);
}
