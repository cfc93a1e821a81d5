import type { Service } from '../support/sites/site.js';

/** Machines as the schedule names them; who that is, is found when the moment has come. */
export type Role = 'primary' | 'secondary' | 'newcomer' | 'any';

export interface Whom {
  readonly role: Role;
  /** In [0, 1): which of those that there are. */
  readonly pick: number;
}

/** How many machines one fault hits at once. */
export type Reach = 'one' | 'majority' | 'all';

/** What lasts until it is taken back: of machines, of the engine, or of the cloud's endpoint. */
export type MachineState =
  | 'frozen'
  | 'off'
  | 'stopped'
  | 'rebooted'
  | 'partitioned'
  | 'degraded'
  | 'disk-full'
  | 'clock-off';
export type EngineState = 'engine-down' | 'engine-frozen';
export type CloudState = 'cloud-down' | 'cloud-throttling' | 'cloud-late' | 'cloud-forgetful';

/** How a fault of a machine is, where its state has more than one way to be. */
export interface Manner {
  /** Whom a partitioned machine does not hear (`in`), or is not heard by (`out`). */
  readonly from: 'everybody' | 'another' | 'host';
  readonly way: 'both' | 'in' | 'out';
  /** Of the link of a degraded one, each way. */
  readonly delayMs: number;
  readonly lossPercent: number;
  readonly clockOffsetMs: number;
}

export type { Service };

export type Act =
  | { readonly kind: 'kill'; readonly service: Service; readonly whom: Whom; readonly reach: Reach }
  | {
      readonly kind: 'begin';
      readonly fault: number;
      readonly state: MachineState;
      readonly whom: Whom;
      readonly reach: Reach;
      readonly manner: Manner;
    }
  | { readonly kind: 'begin-engine'; readonly fault: number; readonly state: EngineState }
  | { readonly kind: 'begin-cloud'; readonly fault: number; readonly state: CloudState }
  | { readonly kind: 'end'; readonly fault: number }
  | { readonly kind: 'kill-engine-worker' }
  /** Only when what is left of the set is a majority and whole; else it is passed over. */
  | { readonly kind: 'terminate'; readonly whom: Whom }
  | { readonly kind: 'reconfig'; readonly change: 'tag' | 'priority' | 'vote'; readonly whom: Whom }
  /** `{0}` in the words stands for a machine. */
  | { readonly kind: 'command'; readonly words: readonly string[]; readonly whom: Whom | null };

export interface Entry {
  /** Seconds since the beginning. */
  readonly at: number;
  readonly actor: 'machines' | 'processes' | 'engine' | 'cloud' | 'operator' | 'second operator';
  readonly act: Act;
}

const names: Record<Act['kind'], (act: never) => string> = {
  kill: (act: Act & { kind: 'kill' }) => `kill ${act.service}`,
  begin: (act: Act & { kind: 'begin' }) => act.state,
  'begin-engine': (act: Act & { kind: 'begin-engine' }) => act.state,
  'begin-cloud': (act: Act & { kind: 'begin-cloud' }) => act.state,
  end: () => 'end',
  'kill-engine-worker': () => 'kill engine worker',
  terminate: () => 'terminate',
  reconfig: (act: Act & { kind: 'reconfig' }) => `reconfig by hand (${act.change})`,
  command: (act: Act & { kind: 'command' }) => act.words[0] ?? '',
};

/** What an act is counted as. */
export function nameOf(act: Act): string {
  return names[act.kind](act as never);
}

/** An act in words, as it stands in the schedule. */
export function wordsOf(act: Act): string {
  const whom = 'whom' in act && act.whom ? ` ${whomWords(act.whom)}` : '';
  switch (act.kind) {
    case 'kill':
      return `kill ${act.service} of ${act.reach === 'one' ? '' : `${act.reach}, first`}${whom}`.replaceAll('  ', ' ');
    case 'begin': {
      const reach = act.reach === 'one' ? '' : `${act.reach}, first`;
      return `#${act.fault} ${stateWords(act.state, act.manner)}: ${reach}${whom}`.replaceAll('  ', ' ');
    }
    case 'begin-engine':
    case 'begin-cloud':
      return `#${act.fault} ${act.state}`;
    case 'end':
      return `end of #${act.fault}`;
    case 'kill-engine-worker':
      return "kill the engine's worker";
    case 'terminate':
      return `terminate${whom}`;
    case 'reconfig':
      return `reconfig by hand (${act.change})${whom}`;
    case 'command':
      return `quorate ${act.words.join(' ').replace('{0}', act.whom ? whomWords(act.whom) : '')}`;
  }
}

export function stateWords(state: MachineState, { from, way, delayMs, lossPercent, clockOffsetMs }: Manner): string {
  switch (state) {
    case 'partitioned':
      return `partitioned from ${from}${way === 'both' ? '' : ` (${way})`}`;
    case 'degraded':
      return `degraded (${delayMs} ms, ${lossPercent}%)`;
    case 'clock-off':
      return `clock off by ${Math.round(clockOffsetMs / 1000)} s`;
    default:
      return state;
  }
}

function whomWords({ role, pick }: Whom): string {
  return role === 'primary' ? 'the primary' : `${role === 'any' ? 'machine' : role} ${pick.toFixed(2)}`;
}
