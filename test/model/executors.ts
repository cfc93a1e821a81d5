/**
 * Those who do the deeds, with what they check: the executor of reconfigs and hand-overs (the real checks of
 * src/replicaset/fences.ts), the transactions that change documents, the cloud, and the survivor's own agent that forces. One
 * call is one step of one attempt; between two steps anything may happen, and an attempt may take its steps late or twice.
 */
import { QuorateError } from '../../src/errors.js';
import { isCaughtUp } from '../../src/membership/facts.js';
import type { Deed } from '../../src/membership/types.js';
import { afterDeed } from '../../src/membership/waits.js';
import { changed, checkFence, type Reconfig, tooEarly } from '../../src/replicaset/fences.js';
import { isOfTwo, votesIn } from '../../src/replicaset/note.js';
import type { Joiner } from '../../src/replicaset/reconfig.js';
import type { SetConfig } from '../../src/replicaset/wire.js';
import { agentHeard, holdsProof, look, type Proof, packExpired, unpackExpired } from './observe.js';
import { elect, force, machine, reaches, reconfig, type ServerRules } from './server.js';
import {
  answers,
  Cond,
  count,
  End,
  each,
  entry,
  type Flight,
  isPrimary,
  Kind,
  kindOf,
  Life,
  majority,
  membersOf,
  NO_MEMBER,
  newMachine,
  pack,
  Stage,
  type State,
  termOf,
  versionOf,
  votersOf,
  withMachine,
} from './state.js';

/** Which of the executors' own checks hold; a mutant lacks one. */
export interface ExecutorRules {
  /** It reads the config again and refuses when it is another one than was decided on. */
  readonly fence: boolean;
  /** It grants one vote; without, to all that have none. */
  readonly oneVote: boolean;
  /** It sends exactly the next version; without, one that is higher than what is there. */
  readonly nextVersion: boolean;
  /** It asks whether the change that decided it still runs. */
  readonly running: boolean;
  /** It asks again whether the deed may be done now. */
  readonly ready: boolean;
  /** Documents change only in the version that was decided on. */
  readonly documents: boolean;
  /** A verdict fails when its machine has been heard of since. */
  readonly evidence: boolean;
  /** Before one of two loses its vote, both note that the other goes on alone. */
  readonly alone: boolean;
  /** Forcing: reads again what it holds, asks for the note, and whether there is a primary. */
  readonly forceFence: boolean;
  readonly forceNote: boolean;
  readonly forcePrimary: boolean;
  /** A machine is ended outside its documents only while there is no primary and no more than two vote. */
  readonly endFence: boolean;
}
export const CAREFUL: ExecutorRules = {
  fence: true,
  running: true,
  oneVote: true,
  nextVersion: true,
  ready: true,
  documents: true,
  evidence: true,
  alone: true,
  forceFence: true,
  forceNote: true,
  forcePrimary: true,
  endFence: true,
};

/** A config in words: who votes in it, and who is a member besides. */
export function configText(config: number): string {
  const others = each(membersOf(config) & ~votersOf(config));
  return `voters ${each(votersOf(config)).join(', ')}${others.length > 0 ? ` and members ${others.join(', ')}` : ''}`;
}

/** What a step of an attempt led to: the attempt goes on as `flight`, or has ended (null). */
export interface Progress {
  readonly state: State;
  readonly flight: Flight | null;
  readonly text: string;
  /** The server accepted a config, for the invariants: what was in force, what is now. */
  readonly accepted?: { readonly at: number; readonly forced: boolean };
}

const isReconfigKind = (kind: Flight['kind']): boolean =>
  kind === 'join' || kind === 'grant-vote' || kind === 'withdraw-vote' || kind === 'remove-members';

export interface World {
  readonly executors: ExecutorRules;
  readonly server: ServerRules;
  readonly proof: Proof;
  /** Members copy entry by entry. */
  readonly oneByOne: boolean;
  /**
   * What was found fit is sent at once, and arrives before another change has ended or never. Between the last check of an
   * executor and its command nothing else can be asked, so that this is assumed, and shown to be needed (mutants.ts).
   */
  readonly promptly: boolean;
  /** What one machine does for itself comes first: all others wait for it anyway, as long as no guard is missing. */
  readonly quietFirst: boolean;
}

/** The deed as the planner answered it. */
export function deedOf({ kind, mask }: Flight): Deed {
  const ids = each(mask);
  const machines = ids.map(String);
  const [member] = ids as [number];
  switch (kind) {
    case 'add-machines':
      return { kind, count: mask, zones: [] };
    case 'grant-vote':
    case 'withdraw-vote':
    case 'hand-over':
    case 'force-survivor':
      return { kind, member, machine: String(member) };
    case 'remove-members':
      return { kind, members: ids };
    case 'terminate':
    case 'renew-member':
      return { kind, machine: String(member) };
    default:
      return { kind, machines };
  }
}

/** Null when it cannot take its next step now. */
export function step(state: State, flight: Flight, world: World): Progress | null {
  if (isReconfigKind(flight.kind)) return stepReconfig(state, flight, world);
  switch (flight.kind) {
    case 'hand-over':
      return stepHandOver(state, flight, world);
    case 'terminate':
      return endInstance(state, flight, world);
    case 'force-survivor':
      return stepForce(state, flight, world);
    default:
      return changeDocuments(state, flight, world);
  }
}

const ended = (state: State, text: string): Progress => ({ state, flight: null, text });

const hostName = (host: string): number => Number(host.slice(1, -2));

function packed(config: SetConfig, version: number): number {
  let [voters, members] = [0, 0];
  for (const { _id, votes } of config.members) {
    members |= 1 << _id;
    if (votes > 0) voters |= 1 << _id;
  }
  return pack(version, -1, voters, members);
}

function stepReconfig(state: State, flight: Flight, world: World): Progress | null {
  if (flight.stage === Stage.decided) return decide(state, flight, world);
  if (flight.stage === Stage.announcing) return announced(state, flight);
  if (flight.stage === Stage.noting) return writeNote(state, flight);
  const { to, config } = flight;
  if (!answers(machine(state, to))) return ended(state, `the command to machine ${to} is lost`);
  const current = versionOf(machine(state, to).config);
  const version = world.executors.nextVersion ? versionOf(config) : Math.max(versionOf(config), current + 1);
  const next = { version, voters: votersOf(config), members: membersOf(config) };
  const answer = reconfig(state, to, next, world.server);
  if (!answer.ok) return ended(state, `machine ${to}'s mongod refuses it (${answer.code})`);
  const two = count(next.voters) === 2;
  return {
    state: answer.state,
    flight: two ? { ...flight, stage: Stage.noting } : null,
    text: `machine ${to}'s mongod takes the config with ${configText(config)} to its disk${two ? ', with MongoDB’s own note of it in the oplog' : ''}`,
    accepted: { at: to, forced: false },
  };
}

/** A second note of the same says nothing more, and they would never end. */
const withNote = (log: string, note: string): string => (log.includes(note) ? log : log + note);

/** By the documents: a change that is done says so, and the next one says it of those before. */
const hasEnded = (state: State, flight: Flight): boolean => flight.by !== state.second || state.end === End.done;

function decide(state: State, flight: Flight, { executors, proof }: World): Progress {
  if (executors.running && hasEnded(state, flight)) return ended(state, 'the executor refuses: its change has ended');
  const seen = look(state, proof);
  if (seen === null) return ended(state, 'the executor reaches no member');
  const deed = deedOf(flight) as Reconfig;
  const joiners: Joiner[] = each(flight.mask).map((i) => ({
    ...{ machine: String(i), memberId: i, host: `m${i}:1`, zone: '' },
  }));
  try {
    const next = changed(seen.look.config, deed, joiners);
    if (next === seen.look.config) return ended(state, 'the executor finds it done already');
    if (executors.fence) checkFence(seen.look, flight);
    const early = executors.ready ? tooEarly(seen.look, deed) : null;
    if (early !== null || seen.look.primaryHost === null)
      return ended(state, `the executor waits no longer: ${early ?? 'there is no primary'}`);
    const base = executors.fence ? flight.version : seen.look.set.version;
    const version = base + 1;
    const to = hostName(seen.look.primaryHost);
    const all = packed(next, version);
    const everybody = pack(version, -1, membersOf(all), membersOf(all));
    const config = flight.kind === 'grant-vote' && !executors.oneVote ? everybody : all;
    const sent = { ...flight, stage: Stage.sent, config, to };
    const p = machine(state, to);
    if (votesIn(seen.look.config) === 1 && count(votersOf(config)) === 2) {
      // The only one that votes is the majority of one, so the note counts at once.
      const log = withNote(p.log, entry(Kind.sole, p.term, version, to));
      const text = `the executor has machine ${to} note that it was alone, and sends it the config with ${configText(config)}`;
      return { state: withMachine(state, to, { log }), flight: sent, text };
    }
    if (executors.alone && isOfTwo(seen.look.config) && count(votersOf(config)) === 1) {
      const log = withNote(p.log, entry(Kind.alone, p.term, versionOf(p.config), to));
      const text = `the executor has machine ${to} note that it goes on alone`;
      return { state: withMachine(state, to, { log }), flight: { ...sent, stage: Stage.announcing }, text };
    }
    return {
      state,
      flight: sent,
      text: `the executor finds it fit and sends the config with ${configText(config)} to machine ${to}`,
    };
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    return ended(state, `the executor refuses: ${error.message}`);
  }
}

/** Goes on once the note that one of two goes on alone is on a majority of the two, so on both. */
function announced(state: State, flight: Flight): Progress | null {
  const p = machine(state, flight.to);
  if (!answers(p) || !isPrimary(p))
    return ended(state, 'the executor cannot have its note on both: the primary is gone');
  const written = p.log.slice(0, p.commit);
  for (let i = 0; i < written.length; i++) {
    if (kindOf(written.charCodeAt(i)) === Kind.alone)
      return { state, flight: { ...flight, stage: Stage.sent }, text: 'the note is on both, and the config is sent' };
  }
  return null;
}

/** Our own note of a config of two, once it is in force on the primary that took it. */
function writeNote(state: State, flight: Flight): Progress | null {
  const p = machine(state, flight.to);
  if (!answers(p) || !isPrimary(p)) return ended(state, 'the executor cannot write its note: the primary is gone');
  if (p.disk !== p.config) return null;
  const log = withNote(p.log, entry(Kind.inForce, p.term, versionOf(flight.config)));
  return ended(withMachine(state, flight.to, { log }), `the executor writes its note of the config of two`);
}

function stepHandOver(state: State, flight: Flight, { executors, proof }: World): Progress {
  const [heir] = each(flight.mask) as [number];
  if (flight.stage === Stage.decided) {
    if (executors.running && hasEnded(state, flight)) return ended(state, 'the executor refuses: its change has ended');
    const seen = look(state, proof);
    const set = seen?.look.set;
    if (!set || set.primary === heir) return ended(state, 'the executor finds it done already');
    if (executors.fence && (set.version !== flight.version || set.term !== flight.term))
      return ended(state, 'the executor refuses: the config is another one');
    const member = set.members.find(({ id }) => id === heir);
    const fit =
      member && member.votes === 1 && member.state === 'SECONDARY' && (!executors.ready || isCaughtUp(set, member));
    if (!fit || set.primary === null) return ended(state, 'the executor finds the heir not ready');
    return { state, flight: { ...flight, stage: Stage.sent }, text: `the executor asks machine ${heir} to stand up` };
  }
  const m = machine(state, heir);
  const elected = answers(m) ? elect(state, heir) : null;
  return elected === null
    ? ended(state, `machine ${heir} is not elected`)
    : ended(elected, `machine ${heir} stands up and is elected in term ${machine(elected, heir).term}`);
}

/** A primary that can have a transaction acknowledged. */
export function writable(state: State): boolean {
  return state.machines.some((p, i) => {
    if (!isPrimary(p) || !answers(p)) return false;
    const voters = votersOf(p.config);
    const holders = each(voters).filter((j) => reaches(state, i, j) && machine(state, j).term <= p.term);
    return holders.length >= majority(voters);
  });
}

/** Documents have changed since it was decided on. */
export const stale = (flight: Flight | null): Flight | null => flight && { ...flight, fresh: 0 };

function changeDocuments(state: State, flight: Flight, { executors }: World): Progress {
  if (!writable(state)) return ended(state, 'nothing can be written: there is no primary with a majority');
  if (executors.documents && flight.fresh === 0)
    return ended(state, 'the transaction is refused: the documents have changed');
  const after = { ...state, flight: stale(state.flight), late: stale(state.late) };
  const named = each(flight.mask);
  const change = (to: Parameters<typeof withMachine>[2]): State =>
    named.reduce((s, i) => withMachine(s, i, to), after as State);
  switch (flight.kind) {
    case 'add-machines': {
      const machines = [...after.machines, ...Array.from({ length: flight.mask }, () => newMachine())];
      return ended({ ...after, machines }, `${flight.mask} new machines are asked for`);
    }
    case 'publish': {
      const machines = after.machines.map((m) => (m.heard === 1 ? { ...m, heard: 0 } : m));
      return ended(
        { ...after, machines, published: flight.mask },
        `the addresses of ${named.join(', ')} are published`,
      );
    }
    case 'drop-jobs':
      return ended(change({ job: 0, life: Life.dying }), `machines ${named.join(', ')} lose the controller's jobs`);
    case 'renew-member': {
      const expired = afterDeed(state.expired.map(unpackExpired), deedOf(flight)).map(packExpired);
      const [i] = named as [number];
      const { life, job, resyncs } = machine(state, i);
      if (life !== Life.alive || job === 0) return ended(state, 'refused: it is no controller any more');
      const empty = { ...NO_MEMBER, up: 1, resyncs: resyncs + 1 };
      return ended({ ...change(empty), expired }, `machine ${i} starts anew with an empty directory`);
    }
    case 'mark-dying': {
      if (executors.evidence && named.some((i) => agentHeard(machine(state, i))))
        return ended(state, 'the verdict is refused: its machine has been heard of since');
      const alive = named.filter((i) => machine(state, i).life === Life.alive);
      return ended(
        alive.reduce((s, i) => withMachine(s, i, { life: Life.dying }), after as State),
        `machines ${named.join(', ')} are written off`,
      );
    }
    default: {
      if (named.some((i) => machine(state, i).life === Life.alive)) return ended(state, 'refused: it is alive');
      return ended(change({ life: Life.dead }), `machines ${named.join(', ')} are dead by their documents`);
    }
  }
}

function endInstance(state: State, flight: Flight, { executors, proof }: World): Progress {
  const [i] = each(flight.mask) as [number];
  if (flight.stage === Stage.decided && executors.endFence) {
    const set = look(state, proof)?.look.set;
    const voters = set?.members.filter(({ votes }) => votes === 1) ?? [];
    if (!set || set.primary !== null || voters.length > 2)
      return ended(state, `the executor does not end machine ${i}: the set is no longer what it was`);
  }
  if (flight.stage === Stage.decided) {
    return {
      state,
      flight: { ...flight, stage: Stage.sent },
      text: `the cloud is told to end the instance of machine ${i}`,
    };
  }
  return ended(
    withMachine(state, i, { cond: Cond.ended }),
    `the cloud ends the instance of machine ${i}, and confirms it`,
  );
}

/** Only the survivor's own agent, only on its own mongod, one at a time. */
function stepForce(state: State, flight: Flight, { executors, proof, promptly }: World): Progress {
  const [i] = each(flight.mask) as [number];
  const m = machine(state, i);
  if (!agentHeard(m) || m.up === 0) return ended(state, `machine ${i} is not there to force anything`);
  const forced = (): Progress => {
    if (m.disk !== m.config)
      return ended(state, `machine ${i}'s mongod refuses it (109): it is installing another config`);
    return {
      ...ended(force(state, i), `a config with machine ${i} alone is forced on its mongod`),
      accepted: { at: i, forced: true },
    };
  };
  if (flight.stage === Stage.sent) return forced();
  const held = state.flight?.kind === 'force-survivor' && state.flight !== flight && state.flight.stage === Stage.sent;
  const lateHeld = state.late?.kind === 'force-survivor' && state.late !== flight && state.late.stage === Stage.sent;
  if (held || lateHeld) return ended(state, `another request holds the lock of machine ${i}`);
  if (executors.forceFence && (versionOf(m.config) !== flight.version || termOf(m.config) !== flight.term))
    return ended(state, `machine ${i} refuses: its config is another one`);
  const primary = state.machines.some((other, j) => isPrimary(other) && reaches(state, i, j));
  if (executors.forcePrimary && primary) return ended(state, `machine ${i} refuses: there is a primary`);
  if (executors.forceNote && !holdsProof(m.log, flight.version, i, proof))
    return ended(state, `machine ${i} refuses: its oplog has no note`);
  // One that comes late does not come between its own look and what it does.
  if (promptly && flight === state.late) return forced();
  return { state, flight: { ...flight, stage: Stage.sent }, text: `machine ${i}'s agent finds it fit to be forced` };
}
