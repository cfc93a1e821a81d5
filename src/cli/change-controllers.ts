import { duration } from '../api/duration.js';
import type { Engine } from '../engine/engine.js';
import { QuorateError } from '../errors.js';
import type { Explanation } from '../membership/explain.js';
import { CONTROLLER_CONSTRAINTS } from '../state/controller-constraints.js';
import type { EnvironmentRecord, Store } from '../store/store.js';
import { followChange, type StartedChange, startChange } from '../temporal/changes.js';
import { type ChangeType, environmentKey } from '../temporal/names.js';
import { type AskedChange, type Planned, planChange } from '../temporal/planning.js';
import type { Progress } from '../temporal/progress.js';
import { follow, mustBeDone } from './follow.js';
import { columns, formatOf, type OutputOptions, print, symbols } from './output.js';
import { changeInput, connectEngine, openTemporal } from './temporal.js';

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly plan?: boolean;
  readonly detach?: boolean;
}

/**
 * The commands that change controllers: plan, say what will be, do it and show it. `out` is where the facts go: stdout,
 * unless this is a part of another command.
 */
export async function changeCommand(
  asked: AskedChange,
  options: Options,
  out: NodeJS.WritableStream = process.stdout,
): Promise<void> {
  const format = formatOf(options);
  const { record, engine, temporal } = await openTemporal(options.environment);
  try {
    const planned = await planChange(temporal, environmentKey(record.name, record.uuid), asked);
    if (options.plan) {
      await print({ kind: asked.kind, ...planned }, options, () => planText(record, asked, planned, options));
      return;
    }
    refuseNothing(record, planned);
    const began = performance.now();
    if (asked.kind === 'enable-ha' && asked.constraints !== undefined)
      await keepConstraints(record.name, asked.constraints);
    const change = await start(record, engine, asked, planned, temporal);
    const tell = async (end: Progress | null) => {
      if (format !== 'tabular') await print(toldChange(change, planned, end), options, () => '', out);
      else if (end !== null) out.write(`${end.result} ${duration((performance.now() - began) / 1000)}\n`);
    };
    if (format === 'tabular') out.write(headline(record, asked, planned, change, options));
    const again = `quorate watch ${change.id}`;
    if (options.detach) {
      process.stderr.write(`The change goes on by itself. Follow it with: ${again}\n`);
      await tell(null);
      return;
    }
    const end = await follow(change, options, again);
    if (end === null) return;
    mustBeDone(end, change.id);
    await tell(end);
  } finally {
    await temporal.connection.close();
  }
}

/** For all controllers that are started from now on; by compare-and-set, like any setting. */
async function keepConstraints(environment: string, constraints: string): Promise<void> {
  const [{ openEnvironment }, { changeSettings }] = await Promise.all([import('./client.js'), import('./config.js')]);
  const { client } = await openEnvironment(environment);
  try {
    await changeSettings(client, [`${CONTROLLER_CONSTRAINTS}=${constraints}`]);
  } finally {
    client.close();
  }
}

/** The same for other commands: starts the change, waits for its end, gives it. */
export async function changeControllers(
  store: Store,
  engine: Engine,
  name: string,
  asked: AskedChange,
): Promise<Progress> {
  const record = await store.readEnvironment(name);
  if (!record) throw new QuorateError('unknown-environment', `there is no environment '${name}'.`);
  const temporal = await connectEngine(engine);
  try {
    const change = await start(
      record,
      engine,
      asked,
      await planChange(temporal, environmentKey(record.name, record.uuid), asked),
      temporal,
    );
    const end = await followChange(change, () => undefined);
    if (end === null) throw new QuorateError('not-followed', `${change.id} could not be followed to its end.`);
    mustBeDone(end, change.id);
    return end;
  } finally {
    await temporal.connection.close();
  }
}

function start(
  record: EnvironmentRecord,
  engine: Engine,
  asked: AskedChange,
  planned: Planned,
  temporal: Awaited<ReturnType<typeof connectEngine>>,
): Promise<StartedChange> {
  return startChange(temporal, TYPES[asked.kind], {
    ...changeInput(record, engine),
    goal: planned.goal,
    from: planned.from,
  });
}

const TYPES = {
  'enable-ha': 'enableHa',
  'disable-ha': 'disableHa',
  replace: 'replace',
  switchover: 'switchover',
  configure: 'configure',
} as const satisfies Record<AskedChange['kind'], ChangeType>;

/** Nothing to do is said, and no change is made of it. */
function refuseNothing(record: EnvironmentRecord, { explanation, goal }: Planned): void {
  if (explanation.steps.length > 0 || explanation.end.kind === 'blocked') return;
  const have = goal.controllers === 1 ? 'one controller' : `${goal.controllers} controllers, all of them well,`;
  throw new QuorateError('nothing-to-do', `${record.name} has ${have} already; nothing was changed.`, {
    todo:
      goal.controllers === 1
        ? 'For more: quorate enable-ha'
        : 'For another number: quorate enable-ha -n 1|3|5|7'.replace('1|', ''),
  });
}

/** Juju's up to four lines under what is changed. */
function headline(
  record: EnvironmentRecord,
  asked: AskedChange,
  planned: Planned,
  change: StartedChange,
  options: OutputOptions,
): string {
  const { explanation } = planned;
  const lines = (['maintaining', 'adding', 'converting', 'removing'] as const).flatMap((word) =>
    explanation[word].length > 0 ? [`${word} machines: ${explanation[word].join(', ')}`] : [],
  );
  const follow = change.url ? [`follow: ${change.url}`] : [];
  return [title(record, asked, planned, options), ...follow, ...lines, '', ''].join('\n');
}

/** For programs: what was started, and how it ended; `state` is running when nobody waited for the end. */
function toldChange({ id, kind, url }: StartedChange, { explanation, from, goal }: Planned, end: Progress | null) {
  const { maintaining, adding, converting, removing } = explanation;
  const { state, result } = end ?? { state: 'running', result: '' };
  return {
    id,
    kind,
    url,
    from,
    controllers: goal.controllers,
    maintaining,
    adding,
    converting,
    removing,
    state,
    result,
  };
}

function title(record: EnvironmentRecord, asked: AskedChange, { from, goal }: Planned, options: OutputOptions): string {
  const { arrow } = symbols(options);
  switch (asked.kind) {
    case 'replace':
      return `${record.name}: machine ${asked.machine} ${arrow} another one`;
    case 'switchover':
      return `${record.name}: primary ${arrow} machine ${goal.primary}`;
    default:
      return `${record.name}: ${from} controller${from === 1 ? '' : 's'} ${arrow} ${goal.controllers}`;
  }
}

async function planText(
  record: EnvironmentRecord,
  asked: AskedChange,
  planned: Planned,
  options: OutputOptions,
): Promise<string> {
  const { explanation } = planned;
  const head = `${title(record, asked, planned, options)}. Nothing is done.`;
  if (explanation.steps.length === 0) {
    return explanation.end.kind === 'done'
      ? `${head}\n\n${explanation.end.text}`
      : `${head}\n\n${blocked(explanation)}`;
  }
  const rows = explanation.steps.map((step, index) => [` ${index + 1}`, step.text, step.note || step.reason]);
  const table = (await columns(['', '', ''], rows)).split('\n').slice(1).join('\n');
  const instances =
    explanation.newInstances > 0
      ? `${explanation.newInstances} instance${explanation.newInstances === 1 ? '' : 's'} more. `
      : '';
  return [
    head,
    '',
    table,
    '',
    `${instances}Clients are not interrupted.`,
    ...explanation.warnings,
    ...(explanation.end.kind === 'blocked' ? [blocked(explanation)] : []),
  ].join('\n');
}

function blocked({ end }: Explanation): string {
  return end.kind === 'blocked' ? `It would come to a stand: ${end.reason} ${end.wayOut}` : '';
}
