import type { Command } from 'commander';
import type { Instance } from '../cloud/cloud.js';
import { configureConsole } from './cloud-console.js';
import { conditionsOf, configureFaults } from './cloud-faults.js';
import { configurePorts } from './cloud-ports.js';
import { columns, print, since, symbols, withEnvironment, withFormat } from './output.js';
import { chooseInstance, chooseLocalInstance, openLocalPanel, openPanel, type PanelOptions } from './panel.js';

const acts = {
  stop: 'press the power button: the machine shuts down in order, and can start again',
  start: 'start a stopped instance again, with its disk',
  terminate: 'end an instance for good, with its disk',
} as const;

/** Of the local cloud alone. */
const FREEZES = {
  pause: 'freeze every process of an instance (local cloud)',
  resume: 'let a paused instance go on (local cloud)',
} as const;

const ZONE_ACTS = [
  ['fill-zone', 'no room for new instances in a zone; those that are there go on (local cloud)', true],
  ['empty-zone', 'room in a zone again (local cloud)', false],
] as const;

/** The control panel does to an instance what a provider's console does, without asking anyone inside. */
export function configure(command: Command): void {
  command.addHelpText(
    'after',
    '\nAn instance is named by its ID or by its machine. Of the local cloud alone are: pause, resume, recover-access, zones, links,\nclocks and disks.\n\nExamples:\n  quorate cloud list\n  quorate cloud stop 2\n  quorate cloud terminate i-1f2e3d4c',
  );
  withEnvironment(withFormat(command.command('list').description('all instances of the environment')))
    .addHelpText('after', '\nExample:\n  quorate cloud list --format json')
    .action(list);
  for (const [name, description] of Object.entries(acts)) {
    withEnvironment(command.command(`${name} <instance>`).description(description))
      .addHelpText('after', `\nExample:\n  quorate cloud ${name} 1`)
      .action((instance: string, options: PanelOptions) => act(name as keyof typeof acts, instance, options));
  }
  for (const [name, description] of Object.entries(FREEZES)) {
    withEnvironment(command.command(`${name} <instance>`).description(description))
      .addHelpText('after', `\nExample:\n  quorate cloud ${name} 1`)
      .action((instance: string, options: PanelOptions) => freeze(name as keyof typeof FREEZES, instance, options));
  }
  withEnvironment(command.command('log <instance>').description("the instance's console"))
    .addHelpText('after', '\nExample:\n  quorate cloud log 1')
    .action(async (wanted: string, options: PanelOptions) => {
      const { cloud, instance } = await chooseInstance(wanted, options, true);
      const { lineText } = await import('../log/line.js');
      process.stdout.write((await cloud.consoleLog(instance.id)).split('\n').map(lineText).join('\n'));
    });
  configureConsole(command);
  for (const [name, description, full] of ZONE_ACTS) {
    withEnvironment(command.command(`${name} <zone>`).description(description))
      .addHelpText('after', `\nExample:\n  quorate cloud ${name} b`)
      .action(async (zone: string, options: PanelOptions) => {
        const { cloud, record } = await openLocalPanel(options, { can: 'say that zones are full' });
        await cloud.setZoneFull(record.uuid, zone, full);
        const zones = await cloud.fullZones(record.uuid);
        process.stdout.write(`zones without room: ${zones.length > 0 ? zones.join(', ') : 'none'}\n`);
      });
  }
  configurePorts(command);
  configureFaults(command);
}

async function list(options: PanelOptions): Promise<void> {
  const { cloud, record } = await openPanel(options);
  if (cloud.kind !== 'local') return await printInstances(await cloud.list(record.uuid), options, () => '');
  const instances = await cloud.list(record.uuid);
  const damaged = await cloud.problems(record.uuid);
  await printInstances(instances, options, (instance) => conditionsOf(instance, instances));
  for (const problem of damaged) process.stderr.write(`quorate: ${problem}\n`);
}

async function printInstances<T extends Instance>(
  instances: readonly T[],
  options: PanelOptions,
  conditionsOf: (instance: T) => string,
): Promise<void> {
  // Few environments are ever hurt, and not every cloud has two addresses: these columns are there where they say something.
  const outside = instances.some(({ publicAddress }) => publicAddress);
  const hurt = instances.some((instance) => conditionsOf(instance) !== '');
  const orNone = (text: string | undefined) => text || symbols(options).none;
  const heads = [
    'MACHINE',
    'INSTANCE',
    'STATE',
    'ADDRESS',
    ...(outside ? ['PUBLIC'] : []),
    'ZONE',
    'TYPE',
    'SINCE',
    'BY',
  ];
  await print(instances, options, () =>
    columns(
      [...heads, ...(hurt ? ['CONDITIONS'] : [])],
      instances.map((instance) => [
        instance.tags.machine,
        instance.id,
        instance.state,
        orNone(instance.address),
        ...(outside ? [orNone(instance.publicAddress)] : []),
        instance.zone,
        orNone(instance.type),
        since(instance.startedAt),
        instance.cause,
        ...(hurt ? [conditionsOf(instance)] : []),
      ]),
    ),
  );
}

async function act(name: keyof typeof acts, wanted: string, options: PanelOptions): Promise<void> {
  const { cloud, instance } = await chooseInstance(wanted, options);
  const after = await {
    stop: () => cloud.stop(instance.id),
    start: () => cloud.startAgain(instance.id),
    terminate: () => cloud.terminate(instance.id),
  }[name]();
  process.stdout.write(stateText(after));
}

async function freeze(name: keyof typeof FREEZES, wanted: string, options: PanelOptions): Promise<void> {
  const { cloud, instance } = await chooseLocalInstance(wanted, options, { can: 'freeze machines' });
  process.stdout.write(stateText(await cloud[name](instance.id)));
}

const stateText = ({ id, state, tags }: Instance) => `machine ${tags.machine} (${id}) is ${state}\n`;
