import type { Command } from 'commander';
import { configureConsole } from './cloud-console.js';
import { conditionsOf, configureFaults } from './cloud-faults.js';
import { configurePorts } from './cloud-ports.js';
import { columns, print, since, symbols, withEnvironment, withFormat } from './output.js';
import { chooseInstance, openPanel, type PanelOptions } from './panel.js';

const acts = {
  stop: 'press the power button: the machine shuts down in order, and can start again',
  start: 'start a stopped instance again, with its disk',
  terminate: 'end an instance for good, with its disk',
  pause: 'freeze every process of an instance',
  resume: 'let a paused instance go on',
} as const;

const ZONE_ACTS = [
  ['fill-zone', 'no room for new instances in a zone; those that are there go on', true],
  ['empty-zone', 'room in a zone again', false],
] as const;

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
      .action((instance: string, options: PanelOptions) => act(name as keyof typeof acts, instance, options));
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
        const { cloud, record } = await openPanel(options);
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
  const instances = await cloud.list(record.uuid);
  const damaged = await cloud.problems(record.uuid);
  // Few environments are ever hurt: the column is there when one is.
  const hurt = instances.some((instance) => conditionsOf(instance, instances) !== '');
  await print(instances, options, () =>
    columns(
      ['MACHINE', 'INSTANCE', 'STATE', 'ADDRESS', 'ZONE', 'TYPE', 'SINCE', 'BY', ...(hurt ? ['CONDITIONS'] : [])],
      instances.map((instance) => [
        instance.tags.machine,
        instance.id,
        instance.state,
        instance.address || symbols(options).none,
        instance.zone,
        instance.type || symbols(options).none,
        since(instance.startedAt),
        instance.cause,
        ...(hurt ? [conditionsOf(instance, instances)] : []),
      ]),
    ),
  );
  for (const problem of damaged) process.stderr.write(`quorate: ${problem}\n`);
}

async function act(name: keyof typeof acts, wanted: string, options: PanelOptions): Promise<void> {
  const { cloud, instance } = await chooseInstance(wanted, options);
  const after = await {
    stop: () => cloud.stop(instance.id),
    start: () => cloud.startAgain(instance.id),
    terminate: () => cloud.terminate(instance.id),
    pause: () => cloud.pause(instance.id),
    resume: () => cloud.resume(instance.id),
  }[name]();
  process.stdout.write(`machine ${after.tags.machine} (${after.id}) is ${after.state}\n`);
}
