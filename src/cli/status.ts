import type { Command } from 'commander';
import { duration } from '../api/duration.js';
import type { Status } from '../api/status.js';
import { colours } from './colour.js';
import { exposureNotes } from './exposed.js';
import { agentText, failures } from './machines.js';
import {
  columns,
  formatOf,
  type OutputOptions,
  print,
  type Symbols,
  since,
  symbols,
  withEnvironment,
  withFormat,
} from './output.js';

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly watch?: boolean;
}

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .option('--watch', 'show it again whenever it changes')
    .addHelpText('after', '\nExamples:\n  quorate status\n  quorate status --watch\n  quorate status --format json')
    .action(async (options: Options) => {
      const format = formatOf(options);
      const { openEnvironment } = await import('./client.js');
      const { client, record } = await openEnvironment(options.environment);
      const text = async (status: Status) => statusText(status, options, await temporalText(record.temporal.address));
      try {
        const read = async () => (await client.request<Status>('GET', '/v1/status')).body;
        if (options.watch) {
          const { watchStatus } = await import('./watch-status.js');
          await watchStatus(client, read, format === 'tabular' ? text : null);
          return;
        }
        const status = await read();
        await print(status, options, () => text(status));
      } finally {
        client.close();
      }
    });
}

/** The screen of `quorate status`: what a person reads at a glance. */
export async function statusText(status: Status, options: OutputOptions, temporal: string): Promise<string> {
  const sign = symbols(options);
  const paint = colours(process.stdout);
  const { environment, ha } = status;
  const spare =
    ha.faultTolerance === 0
      ? environment.phase === 'default'
        ? 'has no controller to spare'
        : 'cannot lose another controller'
      : `can lose ${ha.faultTolerance} more controller${ha.faultTolerance === 1 ? '' : 's'}`;
  const phase = {
    default: paint.plain,
    ha: paint.good,
    changing: paint.busy,
    degraded: paint.bad,
    'no-quorum': paint.bad,
  };
  const blocks = [
    [environment.name, environment.cloud, phase[environment.phase](environment.phase), spare, temporal].join('   '),
  ];
  if (status.stale) {
    blocks.push('No primary is reached: what follows is what one controller remembers, and may be old.');
  }
  blocks.push([await controllersText(status, sign), ...silences(status, sign), ...maintained(status, sign)].join('\n'));
  if (status.machines.length > 0) {
    const table = await columns(
      ['MACHINE', 'ADDRESS', 'ZONE', 'AGENT', 'LIFE', 'JOBS', 'PORTS'],
      status.machines.map((machine) => [
        machine.id,
        machine.address || sign.none,
        machine.zone || sign.none,
        agentText(machine),
        machine.life,
        machine.jobs.join(' ') || sign.none,
        machine.ports.join(' '),
      ]),
    );
    blocks.push([table, ...failures(status.machines, sign), ...exposureNotes(status.machines, sign)].join('\n'));
  }
  if (status.change) {
    const { id, kind, step, startedAt } = status.change;
    blocks.push(
      `Changing: ${kind}, ${step || 'starting'}, since ${since(startedAt)}. Follow it with: quorate watch ${id}`,
    );
  }
  if (ha.problems.length > 0) blocks.push(ha.problems.map((problem) => paint.bad(`Problem: ${problem}`)).join('\n'));
  return blocks.join('\n\n');
}

/** The state of the Temporal that changes run in; the environment serves without it. */
async function temporalText(address: string): Promise<string> {
  const { reachable } = await import('./reachable.js');
  return (await reachable(address)) ? 'Temporal: up' : 'Temporal: does not answer, changes wait (quorate engine start)';
}

/** For each controller that is not heard, and of which the problems do not say what happens next: since when, what is known of its member, and what a person can do. */
function silences(status: Status, sign: Symbols): string[] {
  return status.controllers
    .filter(({ agent, evidence }) => !status.stale && evidence === null && (agent === 'down' || agent === 'stopped'))
    .map(({ machine, agent, silentSeconds, member }) => {
      const left = agent === 'stopped' ? 'left in order' : `silent for ${duration(silentSeconds)}`;
      const reached =
        member === null ? 'no member' : member.healthy ? 'its member is well' : 'its member is unreachable';
      const way = `start it again, or have another one in its place: quorate enable-ha -n ${Math.max(3, status.ha.desired)}`;
      return `  ${sign.note} ${machine}: ${left}, ${reached}; ${way}`;
    });
}

/** Who is under maintenance, and how to end that; workload machines too. */
function maintained(status: Status, sign: Symbols): string[] {
  const all = [
    ...status.controllers.map((controller) => ({ ...controller, id: controller.machine })),
    ...status.machines,
  ];
  return all.flatMap(({ id, maintenance }) =>
    maintenance === null
      ? []
      : [
          `  ${sign.note} ${id}: under maintenance for ${duration(maintenance.secondsLeft)}; end it with: quorate maintenance ${id} --end`,
        ],
  );
}

/** The table of controllers, shared with `quorate controllers`. */
export function controllersText(status: Status, sign: Symbols): Promise<string> {
  return columns(
    ['CONTROLLER', 'ADDRESS', 'AGENT', 'MEMBER', 'VOTE', 'LAG', 'SEES', 'SINCE'],
    status.controllers.map(({ machine, address, agent, member, sees, since: at }) => [
      machine,
      address || sign.none,
      agent,
      member?.state ?? sign.none,
      member ? (member.vote ? 'yes' : 'no') : sign.none,
      lag(member, sign),
      sees.join(' ') || sign.none,
      since(at) || sign.none,
    ]),
  );
}

function lag(member: Status['controllers'][number]['member'], sign: Symbols): string {
  if (member?.state !== 'SECONDARY' || member.lagSeconds === null) return sign.none;
  return member.lagSeconds < 1 ? `${Math.round(member.lagSeconds * 1000)} ms` : `${member.lagSeconds.toFixed(1)} s`;
}
