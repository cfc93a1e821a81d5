import type { Command } from 'commander';
import { duration } from '../api/duration.js';
import { QuorateError, usageError } from '../errors.js';
import {
  consequencesOf,
  type Holder,
  isForced,
  othersOf,
  type RecoveryView,
  ranked,
  recommended,
  refusalOf,
  type Survey,
  silentOf,
  survivorOf,
} from '../membership/recovery.js';
import type { OpTime } from '../membership/types.js';
import type { EnvironmentRecord } from '../store/store.js';
import { startChange } from '../temporal/changes.js';
import { environmentKey } from '../temporal/names.js';
import { surveyMembers } from '../temporal/planning.js';
import { typedName } from './confirm.js';
import { follow, mustBeDone } from './follow.js';
import { columns, formatOf, type OutputOptions, print, symbols, withEnvironment, withFormat } from './output.js';
import { changeInput, openTemporal } from './temporal.js';

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly survivor?: string;
  readonly confirm?: string;
  readonly yes?: boolean;
  readonly plan?: boolean;
  readonly detach?: boolean;
}

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .option(
      '--survivor <machine>',
      'the machine whose member is gone on with (default: say what each holds; do nothing)',
    )
    .option('--confirm <name>', "the environment's name, for programs; people are asked to type it")
    .option('--yes', 'not enough here: the name is asked for')
    .option('--plan', 'say what would be done and lost; do nothing')
    .option('--detach', 'start it and return at once')
    .addHelpText(
      'after',
      '\nFor when a majority of the controllers is lost for good. First try to bring one back: quorate cloud start MACHINE\n\nExamples:\n  quorate recover\n  quorate recover --survivor 1 --plan\n  quorate recover --survivor 1\n  quorate recover --survivor 1 --confirm demo --detach',
    )
    .action(recover);
}

async function recover(options: Options): Promise<void> {
  formatOf(options);
  const { survivor } = options;
  if (survivor !== undefined && !/^\d+$/.test(survivor)) {
    const todo = 'Machines are named by numbers. See what each holds with: quorate recover';
    throw usageError('bad-machine', `'${survivor}' is no machine ID.`, todo);
  }
  const { record, engine, temporal } = await openTemporal(options.environment);
  try {
    const view = await surveyMembers(temporal, environmentKey(record.name, record.uuid));
    const going = survivor !== undefined && isForced(view, survivor);
    if (!going) refuse(record, view, survivor);
    if (survivor === undefined || options.plan) {
      await print({ ...view, recommended: view.survey && recommended(view.survey)?.machine }, options, () =>
        told(record, view, survivor, options),
      );
      return;
    }
    if (going)
      process.stderr.write(`Machine ${survivor} was made a set of its own before; what is left is growing back.\n`);
    else {
      process.stderr.write(`${await told(record, view, survivor, options)}\n\n`);
      const what = `This ends the other controllers for good and goes on with machine ${survivor} alone.`;
      await typedName(record.name, what, options);
    }
    const began = performance.now();
    const controllers = Math.max(1, view.desired);
    const change = await startChange(temporal, 'recover', {
      ...changeInput(record, engine),
      survivor,
      goal: { controllers, keep: [survivor], avoid: [], to: [], settle: false, primary: null },
      from: 1,
    });
    const again = `quorate watch ${change.id === change.workflowId ? `-e ${record.name}` : change.id}`;
    process.stdout.write(
      `${record.name}: goes on with machine ${survivor}${change.url ? `\nfollow: ${change.url}` : ''}\n\n`,
    );
    if (options.detach) {
      process.stderr.write(`It goes on by itself. Follow it with: ${again}\n`);
      return;
    }
    const end = await follow(change, options, again);
    if (end === null) return;
    mustBeDone(end, change.id);
    process.stdout.write(`${end.result} ${duration((performance.now() - began) / 1000)}\n`);
  } finally {
    await temporal.connection.close();
  }
}

/** Whatever was typed, nothing is recovered where a majority is there, and nobody is gone on with who is no member. */
function refuse(record: EnvironmentRecord, view: RecoveryView, survivor: string | undefined): void {
  const [first] = view.survey?.holders ?? [];
  const refusal = refusalOf(view, survivor ?? first?.machine ?? '');
  if (refusal === null) return;
  if (survivor === undefined && refusal.code !== 'has-majority' && refusal.code !== 'no-member') return;
  const sentence = `${record.name}: ${refusal.message}.`;
  if (refusal.code === 'no-survivor') throw usageError(refusal.code, sentence, refusal.todo);
  throw new QuorateError(refusal.code, sentence, { todo: refusal.todo });
}

/** What each holds, whom to go on with, and what that would mean. */
async function told(
  { name }: EnvironmentRecord,
  { survey, desired }: RecoveryView,
  asked: string | undefined,
  options: OutputOptions,
): Promise<string> {
  if (survey === null) return '';
  const best = recommended(survey);
  const chosen = asked === undefined ? best : (survivorOf(survey, asked) ?? null);
  const voters = survey.members.filter(({ votes }) => votes === 1).length;
  const answering = survey.holders.filter(({ votes }) => votes === 1).length;
  const lines = [
    `${name}: ${answering} of ${voters} voters answer; ${Math.floor(voters / 2) + 1} would be a majority. Nothing was done.`,
    '',
    await table(survey, best, options),
  ];
  if (chosen === null) return [...lines, '', 'Nobody who answers holds data as a whole.'].join('\n');
  const { kept, lost } = consequencesOf(survey, chosen);
  const machine = chosen.machine ?? '';
  const others = othersOf(survey, chosen);
  const heading = chosen === best ? 'holds most of those that answer' : 'does not hold most of those that answer';
  lines.push(
    '',
    `Machine ${machine} ${heading}. Going on with it`,
    ...kept.map((sentence) => `  keeps     ${sentence}`),
    ...(lost.length > 0
      ? lost.map((sentence) => `  may lose  ${sentence}`)
      : ['  loses     Nothing that was acknowledged.']),
    '',
    ...[
      ...(others === '' ? [] : [`end ${others} for good, whatever they hold`]),
      `force a set of one on machine ${machine}, by its own agent`,
      ...(desired > 1 ? [`grow back to ${desired} controllers`] : []),
    ].map((step, index) => ` ${index + 1}  ${step}`),
  );
  if (asked === undefined)
    lines.push('', `If none of the others can be brought back: quorate recover --survivor ${machine}`);
  return lines.join('\n');
}

async function table(survey: Survey, best: Holder | null, options: OutputOptions): Promise<string> {
  const { none } = symbols(options);
  const rows = ranked(survey).map((holder) => [
    `${holder.machine ?? holder.host}${holder === best ? ' *' : ''}`,
    holder.state,
    holder.votes === 1 ? 'yes' : 'no',
    String(holder.term),
    optimeText(holder.applied) ?? none,
    optimeText(holder.committed) ?? none,
    holder.ageMs === null ? none : `${duration(holder.ageMs / 1000)} ago`,
    holder.noted === null ? none : holder.noted ? 'yes' : 'no',
  ]);
  const silent = silentOf(survey).map(({ machine, host, votes }) => [
    machine ?? host,
    'no answer',
    votes === 1 ? 'yes' : 'no',
    ...Array.from({ length: 5 }, () => none),
  ]);
  const header = ['MACHINE', 'MEMBER', 'VOTE', 'TERM', 'NEWEST', 'MAJORITY HAD', 'WRITTEN', 'NOTE'];
  return await columns(header, [...rows, ...silent]);
}

/** The time of the write and its number within that second. */
function optimeText(optime: OpTime | null): string | null {
  return optime && `${new Date(optime.s * 1000).toISOString().slice(11, 19)}.${optime.i}`;
}
