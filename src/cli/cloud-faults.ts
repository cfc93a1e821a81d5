import type { Command } from 'commander';
import { HOST, inWords } from '../cloud/local/conditions.js';
import type { LocalInstance } from '../cloud/local/group.js';
import type { LocalCloud } from '../cloud/local/local-cloud.js';
import { usageError } from '../errors.js';
import { withEnvironment } from './output.js';
import { chooseLocalInstance, instanceNamed, type PanelOptions } from './panel.js';
import { bytes, milliseconds, percent } from './quantities.js';

/** What the control panel can do to instances that have a network, a clock and a disk of their own (`local/namespace`). */
export function configureFaults(command: Command): void {
  const add = (words: string, description: string, ...examples: string[]) =>
    withEnvironment(command.command(words).description(description)).addHelpText(
      'after',
      `\nOf environments made with: quorate bootstrap local/namespace\n\nExamples:\n${examples.map((each) => `  quorate cloud ${each}`).join('\n')}`,
    );

  add(
    'partition <instance>',
    'drop its packets: connections vanish without a word',
    'partition 1',
    'partition 1 --from 0,2',
    'partition 1 --from host --one-way in',
  )
    .option('--from <instances>', `only those with these instances, or with this machine (${HOST}); several by commas`)
    .option('--one-way <way>', 'in: it hears nothing; out: it is not heard')
    .action(partition);
  add('heal <instance>', 'its link as new: no cuts, no delay, no loss', 'heal 1').action(
    (wanted: string, options: PanelOptions) =>
      act(wanted, options, 'cut links and heal them', (cloud, { id }) => cloud.heal(id)),
  );
  add('degrade <instance>', 'its link slow and lossy, each way; heal ends it', 'degrade 1 --delay 50ms --loss 2%')
    .option('--delay <duration>', 'for every packet', '0ms')
    .option('--loss <percentage>', 'of the packets', '0%')
    .action((wanted: string, options: PanelOptions & { delay: string; loss: string }) => {
      const how = { delayMs: milliseconds(options.delay), lossPercent: percent(options.loss) };
      if (how.delayMs < 0) throw usageError('bad-duration', 'a delay cannot be negative.', 'Use 50ms, 2s.');
      return act(wanted, options, 'make links slow', (cloud, { id }) => cloud.degrade(id, how));
    });
  add(
    'set-clock <instance> <offset>',
    'its clock off, from its next start on',
    'set-clock 1 +1h',
    'set-clock 1 -- -30s',
    'set-clock 1 0s',
  ).action((wanted: string, offset: string, options: PanelOptions) =>
    act(wanted, options, 'set clocks', (cloud, { id }) => cloud.setClock(id, milliseconds(offset)), NEXT_START),
  );
  add(
    'limit-disk <instance> <size>',
    'a disk of this size, from its next start on; none for no limit',
    'limit-disk 1 512M',
    'limit-disk 1 none',
  ).action((wanted: string, size: string, options: PanelOptions) =>
    act(
      wanted,
      options,
      DISKS,
      (cloud, { id }) => cloud.limitDisk(id, size === 'none' ? null : bytes(size)),
      NEXT_START,
    ),
  );
  add('fill-disk <instance>', 'no space left on a disk that was limited', 'fill-disk 1').action(
    (wanted: string, options: PanelOptions) => act(wanted, options, DISKS, (cloud, { id }) => cloud.fillDisk(id)),
  );
  add('free-disk <instance>', 'the space that fill-disk took, back', 'free-disk 1').action(
    (wanted: string, options: PanelOptions) =>
      act(wanted, options, DISKS, (cloud, { id }) => cloud.fillDisk(id, false)),
  );
}

const DISKS = 'limit disks and fill them';
const NEXT_START = 'from its next start on: quorate cloud stop, quorate cloud start';

async function act(
  wanted: string,
  options: PanelOptions,
  can: string,
  deed: (cloud: LocalCloud, instance: LocalInstance, all: readonly LocalInstance[]) => Promise<LocalInstance>,
  note = '',
): Promise<void> {
  const { cloud, instance, all } = await chooseLocalInstance(wanted, options, { can });
  const after = await deed(cloud, instance, all);
  const words = conditionsOf(after, all);
  const machine = `machine ${after.tags.machine} (${after.id})`;
  process.stdout.write(`${machine}: ${words === '' ? 'nothing is the matter with it' : words}\n`);
  if (note !== '' && after.state !== 'stopped') process.stderr.write(`${note}\n`);
}

function partition(
  wanted: string,
  options: PanelOptions & { readonly from?: string; readonly oneWay?: string },
): Promise<void> {
  const direction = options.oneWay ?? 'both';
  if (direction !== 'both' && direction !== 'in' && direction !== 'out')
    throw usageError('bad-way', `'${direction}' is no way of a link.`, 'Use --one-way in, or --one-way out.');
  return act(wanted, options, 'cut links and heal them', (cloud, { id }, all) => {
    const from = options.from
      ?.split(',')
      .map((peer) => (peer === HOST ? HOST : instanceNamed(peer, all, 'the environment').id));
    return cloud.partition(id, { direction, ...(from ? { from } : {}) });
  });
}

/** What was done to an instance, in words; empty for nothing. */
export function conditionsOf({ conditions }: LocalInstance, all: readonly LocalInstance[]): string {
  const nameOf = (id: string) => all.find((each) => each.id === id)?.tags.machine ?? id;
  return inWords(conditions, nameOf).join('; ');
}
