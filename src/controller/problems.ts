import { cutsOf, cutText } from '../api/cuts.js';
import { evidenceText } from '../api/evidence.js';
import type { ControllerStatus, MachineStatus, Status } from '../api/status.js';
import { isRotating } from '../state/authority-documents.js';
import type { EvidenceDocument } from '../state/documents.js';
import { maintenanceLeft } from '../state/maintenance.js';
import type { Facts } from './facts.js';
import { machineProblems } from './machine-problems.js';

/** The sentinel gives a sign of life every five seconds; one that was not heard for longer than this rests. */
const RESTS_AFTER_MS = 20_000;

/** Milliseconds since the sentinel looked last, when that is too long ago; 0 while it watches, and before it ever did. */
export function restsFor(evidence: EvidenceDocument | null, now: Date): number {
  const ageMs = evidence === null ? 0 : now.getTime() - evidence.at.getTime();
  return ageMs > RESTS_AFTER_MS ? ageMs : 0;
}

interface Seen {
  readonly facts: Facts;
  readonly controllers: readonly ControllerStatus[];
  /** Machines that are no controllers. */
  readonly workload: readonly MachineStatus[];
  readonly ha: Omit<Status['ha'], 'problems'>;
}

/** What is not as it should be, one sentence each, the worst first. Pure. */
export function problemsOf(seen: Seen): string[] {
  return [
    ...quorum(seen),
    ...maintenance(seen),
    ...evidence(seen),
    ...agents(seen),
    ...members(seen),
    ...services(seen),
    ...reach(seen),
    ...zones(seen),
    ...machineProblems(seen.facts.machines, seen.workload),
    ...keys(seen),
  ];
}

function quorum({ facts, ha }: Seen): string[] {
  const changing = facts.running.length > 0;
  if (ha.primary === null && facts.primaryElsewhere !== null) {
    return [
      `Controller ${facts.self} does not reach the primary, ${facts.primaryElsewhere}, which other members name: what it says is old. Ask again in some seconds.`,
    ];
  }
  if (ha.primary === null) {
    return [
      `No majority of the ${ha.voters} voters answers: nothing can be written or changed until ${Math.floor(ha.voters / 2) + 1} of them do. Start what is stopped, or see what would be lost with: quorate recover.`,
    ];
  }
  const sentences: string[] = [];
  if (ha.healthyVoters < ha.voters) {
    const then =
      ha.faultTolerance === 0
        ? 'Losing another one stops changes and writes.'
        : `${ha.faultTolerance} more can be lost.`;
    sentences.push(`${ha.healthyVoters} of ${ha.voters} controllers answer. ${then}`);
  }
  if (!changing && ha.voters < ha.desired) {
    sentences.push(
      `${ha.desired} controllers were asked for and ${ha.voters} vote; restore them with: quorate enable-ha.`,
    );
  }
  if (!changing && ha.voters > 1 && ha.voters % 2 === 0) {
    sentences.push(
      `${ha.voters} controllers vote, and an even number is no safer than one fewer; go on with: quorate enable-ha.`,
    );
  }
  return sentences;
}

/** No problem by itself, but the reason why nothing is done about one. */
function maintenance({ facts }: Seen): string[] {
  return facts.machines.flatMap((machine) => {
    const left = maintenanceLeft(machine, facts.databaseTime);
    if (left === 0) return [];
    return [`Machine ${machine._id} is under maintenance for ${more(left)}; nothing is done to it.`];
  });
}

/** "8 more minutes"; seconds when it is less than two minutes. */
function more(ms: number): string {
  const [n, unit] = ms > 120_000 ? [Math.ceil(ms / 60_000), 'minute'] : [Math.ceil(ms / 1000), 'second'];
  return `${n} more ${unit}${n === 1 ? '' : 's'}`;
}

/** What the sentinel sees, and what it will do; or that nobody watches. */
function evidence({ facts, controllers }: Seen): string[] {
  const said = controllers.flatMap((controller) =>
    controller.evidence ? [`Machine ${controller.machine} ${evidenceText(controller.evidence)}.`] : [],
  );
  const restsMs = restsFor(facts.evidence, facts.databaseTime);
  if (restsMs === 0 || facts.stale || facts.environment.life !== 'alive') return said;
  return [
    ...said,
    `Healing rests: nobody has looked at the controllers for ${Math.round(restsMs / 1000)} s, so a lost one is not replaced. See whether Temporal runs: quorate engine status.`,
  ];
}

/** What the sentinel has something to say about is not said twice. Without a majority no agent's word is written, nor its silence known. */
function agents({ facts, controllers }: Seen): string[] {
  if (facts.stale) return [];
  return controllers.flatMap(({ machine, agent, silentSeconds, member, evidence }) => {
    if (agent !== 'down' || evidence !== null) return [];
    const also =
      member === null ? '' : member.healthy ? '; its member is healthy' : '; its member does not answer either';
    return [`The agent of machine ${machine} has been silent for ${Math.round(silentSeconds)} s${also}.`];
  });
}

function members({ facts, controllers }: Seen): string[] {
  const strangers = facts.members
    .filter(({ machine }) => !facts.machines.some(({ _id }) => _id === machine))
    .map(({ host, id }) => `Member ${id} at ${host} belongs to no known machine; it counts as lost.`);
  const ill = controllers.flatMap(({ machine, agent, member, evidence }) =>
    !facts.stale && agent === 'started' && member?.vote && !member.healthy && evidence?.verdict !== 'cut-off'
      ? [`The member of machine ${machine} is ${member.state}, though its agent is up.`]
      : [],
  );
  const ended = controllers
    .filter(({ life, member }) => life !== 'alive' && member?.vote)
    .map(({ machine, life }) => `Machine ${machine} is ${life} and its member still votes.`);
  return [...strangers, ...ill, ...ended];
}

function services({ controllers }: Seen): string[] {
  const failing = controllers.flatMap(({ machine, agent, services }) =>
    Object.entries(services).flatMap(([name, service]) =>
      agent === 'started' && service.state === 'backing-off'
        ? [`${name} of machine ${machine} does not stay up: ${service.message || 'no reason given'}.`]
        : [],
    ),
  );
  const workers = controllers
    .filter(({ agent }) => agent === 'started')
    .map((controller) => controller.services.worker);
  const resting = workers.length > 0 && workers.every((worker) => worker?.state === 'backing-off');
  const off = controllers.flatMap(({ machine, succession }) =>
    succession.off === '' ? [] : [`Succession is off on machine ${machine}: ${succession.off}.`],
  );
  return [...failing, ...(resting ? ['No controller has a worker: changes and healing rest.'] : []), ...off];
}

/** Controllers that serve and do not reach each other. During a change not all know of each other yet. */
function reach({ facts, controllers }: Seen): string[] {
  if (facts.running.length > 0) return [];
  const serving = controllers.filter(
    ({ agent, life, services }) => agent === 'started' && life === 'alive' && services.api?.state === 'running',
  );
  const sees = new Map(serving.map((controller) => [controller.machine, controller.sees]));
  const cuts = cutsOf([...sees.keys()], (from, to) => sees.get(from)?.includes(to) ?? null);
  return cuts.map((cut) => cutText(cut, 'API'));
}

/** A zone whose loss would take the majority with it, where there is a choice. */
function zones({ facts, controllers, ha }: Seen): string[] {
  if (ha.voters < 3 || facts.environment.zones.length < 2) return [];
  const majority = Math.floor(ha.voters / 2) + 1;
  const voting = controllers.filter(({ member }) => member?.vote);
  return [...new Set(voting.map(({ zone }) => zone))].flatMap((zone) => {
    const there = voting.filter((controller) => controller.zone === zone).length;
    return ha.voters - there < majority
      ? [`${there} of ${ha.voters} voting controllers are in zone ${zone}: losing it would stop changes and writes.`]
      : [];
  });
}

function keys({ facts }: Seen): string[] {
  const knew = facts.machines
    .filter(({ knewKeys, life }) => knewKeys && life === 'alive')
    .map(
      ({ _id }) =>
        `Machine ${_id} is no controller any more and knew the environment's keys; for new ones: quorate rotate-ca.`,
    );
  const tried = facts.refused.map(
    ({ machine, refusedFrom }) => `Somebody else tried to enrol as machine ${machine}, from ${refusedFrom.join(', ')}.`,
  );
  return [...tried, ...knew, ...rotation(facts)];
}

/** A rotation of the CA that rests, and machines that one did not wait for. */
function rotation({ environment: { authority }, machines, running }: Facts): string[] {
  if (authority === undefined) return [];
  const left = machines
    .filter(({ _id, life }) => authority.left.includes(_id) && life !== 'dead')
    .map(
      ({ _id }) =>
        `Machine ${_id} was left behind when the CA was rotated and is not let in any more; remove it: quorate remove-machine ${_id} --force.`,
    );
  const rests = isRotating(authority) && running.length === 0;
  return rests
    ? [...left, 'The rotation of the CA rests half-way; nothing is shut out. Go on with: quorate rotate-ca.']
    : left;
}
