import type { Act, EngineState, Entry, Manner, Reach, Role, Service, Whom } from './acts.js';
import { type Random, seededRandom } from './random.js';
import { TERRAINS, type Terrain } from './terrain.js';

/** What the build under test can do; what it cannot do yet is not drawn. */
export interface Abilities {
  /** Commands of `quorate --help`. */
  readonly commands: readonly string[];
  /** Instances can have namespaces of their own, so that links are cut, clocks are off and disks are full. */
  readonly namespaces: boolean;
  readonly cloud: 'local' | 'ec2';
}

export const EVERYTHING: Abilities = {
  commands: ['enable-ha', 'disable-ha', 'replace', 'switchover', 'maintenance', 'config', 'status', 'changes'],
  namespaces: true,
  cloud: 'local',
};

export interface Settings {
  readonly terrain: Terrain;
  /** Given to `bootstrap --config`. */
  readonly config: readonly string[];
  readonly controllers: 1 | 3;
}

export interface Schedule {
  readonly seed: number;
  readonly seconds: number;
  readonly settings: Settings;
  /** By time. */
  readonly entries: readonly Entry[];
}

/**
 * Everything that will be done and when, from the seed alone. Each actor has a lane of its own:
 *
 * - *machines*: one fault at a time (freeze, power off, partition, …), which lasts and is taken back; one in eight hits a
 *   majority or all at once, so that the majority is lost and comes back. Ending an instance for good is such a fault too,
 *   never beside another one. So whatever is gone for good, the others are there.
 * - *processes*: kills at any moment, also beside a fault of a machine: what is killed is started again by itself.
 * - *engine*: Temporal and its worker, whatever the others do.
 * - *cloud*: what answers for the cloud, where that is asked by the network, whatever the others do.
 * - two *operators*, who may get in each other's way.
 */
export function plan(seed: number, minutes: number, abilities: Abilities = EVERYTHING): Schedule {
  const seconds = Math.round(minutes * 60);
  const lane = (name: string) => seededRandom(seed, name);
  const settings = settingsOf(lane('settings'), abilities);
  const { terrain } = settings;
  const entries = [
    ...machineFaults(lane('machines'), seconds, terrain),
    ...processFaults(lane('processes'), seconds, terrain),
    ...engineFaults(lane('engine'), seconds, terrain),
    ...cloudFaults(lane('cloud'), seconds, terrain),
    ...operator(lane('operator'), seconds, abilities, terrain, 'operator'),
    ...operator(lane('second operator'), seconds, abilities, terrain, 'second operator'),
  ];
  entries.sort((a, b) => a.at - b.at);
  return { seed, seconds, settings, entries };
}

function settingsOf(random: Random, { namespaces, cloud }: Abilities): Settings {
  // The same numbers are drawn wherever it is.
  const { graces, stoppedGraces } = TERRAINS[cloud];
  const config = [`grace=${random.pick(graces)}`, `stopped-grace=${random.pick(stoppedGraces)}`];
  const controllers = random.pick<1 | 3>([
    [1, 1],
    [3, 3],
  ]);
  const namespace = random.chance(0.6) && namespaces;
  const terrain = cloud === 'local' && namespace ? TERRAINS['local/namespace'] : TERRAINS[cloud];
  return { terrain, config, controllers };
}

function machineFaults(random: Random, seconds: number, { machines, pace }: Terrain): Entry[] {
  const entries: Entry[] = [];
  const push = (at: number, act: Act) => entries.push({ at: round(at), actor: 'machines', act });
  let fault = 0;
  for (let at = random.between(3, 10); at < seconds; at += random.between(4, 20) * pace.apart) {
    const act = random.pick(machines);
    const whom = whomOf(random);
    const reach = random.pick<Reach>([
      [7, 'one'],
      [0.6, 'majority'],
      [0.4, 'all'],
    ]);
    const lasts = random.chance(0.2) ? random.between(12, 30) : random.between(0.3, 6);
    const manner = mannerOf(random);
    const change = random.pick<'tag' | 'priority' | 'vote'>([
      [2, 'tag'],
      [2, 'priority'],
      [1, 'vote'],
    ]);
    if (act === 'terminate') {
      push(at, { kind: 'terminate', whom });
      at += pace.quietAfterTerminateS;
    } else if (act === 'reconfig') push(at, { kind: 'reconfig', change, whom });
    else if (act !== null) {
      fault += 1;
      push(at, { kind: 'begin', fault, state: act, whom, reach, manner });
      at = Math.min(at + lasts, seconds);
      push(at, { kind: 'end', fault });
    }
  }
  return entries;
}

function mannerOf(random: Random): Manner {
  return {
    from: random.pick<Manner['from']>([
      [6, 'everybody'],
      [3, 'another'],
      [1, 'host'],
    ]),
    way: random.pick<Manner['way']>([
      [4, 'both'],
      [1, 'in'],
      [1, 'out'],
    ]),
    delayMs: Math.round(random.between(5, 150)),
    lossPercent: Math.round(random.between(0, 8)),
    clockOffsetMs: Math.round(random.between(-20, 20)) * 60_000,
  };
}

function processFaults(random: Random, seconds: number, { pace }: Terrain): Entry[] {
  const entries: Entry[] = [];
  for (let at = random.between(2, 6); at < seconds; at += random.between(2, 18) * pace.apart) {
    const service = random.pick<Service>([
      [4, 'mongod'],
      [2, 'agent'],
      [2, 'api'],
      [2, 'worker'],
    ]);
    const reach = random.pick<Reach>([
      [9, 'one'],
      [0.5, 'majority'],
      [0.5, 'all'],
    ]);
    entries.push({ at: round(at), actor: 'processes', act: { kind: 'kill', service, whom: whomOf(random), reach } });
  }
  return entries;
}

function engineFaults(random: Random, seconds: number, { pace }: Terrain): Entry[] {
  const entries: Entry[] = [];
  const push = (at: number, act: Act) => entries.push({ at: round(at), actor: 'engine', act });
  // Faults of machines count from 1 as well: these are told apart by where they begin.
  let fault = 1000;
  for (let at = random.between(8, 25); at < seconds; at += random.between(10, 35) * pace.apart) {
    const state = random.pick<EngineState | 'worker'>([
      [2, 'engine-down'],
      [1, 'engine-frozen'],
      [2, 'worker'],
    ]);
    const lasts = random.between(0.5, 8);
    if (state === 'worker') push(at, { kind: 'kill-engine-worker' });
    else {
      fault += 1;
      push(at, { kind: 'begin-engine', fault, state });
      at = Math.min(at + lasts, seconds);
      push(at, { kind: 'end', fault });
    }
  }
  return entries;
}

function cloudFaults(random: Random, seconds: number, { endpoint, pace }: Terrain): Entry[] {
  if (endpoint.length === 0) return [];
  const entries: Entry[] = [];
  const push = (at: number, act: Act) => entries.push({ at: round(at), actor: 'cloud', act });
  let fault = 2000;
  for (let at = random.between(8, 25); at < seconds; at += random.between(10, 35) * pace.apart) {
    fault += 1;
    push(at, { kind: 'begin-cloud', fault, state: random.pick(endpoint) });
    at = Math.min(at + random.between(2, 30), seconds);
    push(at, { kind: 'end', fault });
  }
  return entries;
}

function operator(
  random: Random,
  seconds: number,
  { commands }: Abilities,
  { mostControllers, pace }: Terrain,
  actor: Entry['actor'],
): Entry[] {
  const entries: Entry[] = [];
  const second = actor === 'second operator';
  for (
    let at = random.between(2, second ? 40 : 10);
    at < seconds;
    at += random.between(4, second ? 60 : 25) * pace.apart
  ) {
    const words = random.pick<readonly string[]>([
      [4, ['enable-ha']],
      [3, ['enable-ha', '-n', '3']],
      [2, ['enable-ha', '-n', String(mostControllers)]],
      [2, ['disable-ha']],
      [1, ['disable-ha', '--keep', '{0}']],
      [4, ['replace', '{0}']],
      [4, ['switchover']],
      [2, ['switchover', '--to', '{0}']],
      [2, ['maintenance', '{0}', '--for', '10s']],
      [1, ['config', `heartbeat-interval=${Math.round(random.between(300, 800))}ms`]],
      [1, ['config', `suspect-after=${Math.round(random.between(400, 900))}ms`]],
      [1, ['config', `x-note=${Math.round(random.between(0, 1e6))}`]],
      [1, ['status']],
      [1, ['changes']],
    ]);
    const whom = whomOf(random);
    if (!commands.includes(words[0] ?? '')) continue;
    const act: Act = { kind: 'command', words, whom: words.includes('{0}') ? whom : null };
    entries.push({ at: round(at), actor, act });
  }
  return entries;
}

function whomOf(random: Random): Whom {
  const role = random.pick<Role>([
    [4, 'primary'],
    [3, 'secondary'],
    [2, 'any'],
    [1, 'newcomer'],
  ]);
  return { role, pick: random.next() };
}

const round = (seconds: number) => Math.round(seconds * 1000) / 1000;
