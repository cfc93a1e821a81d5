import type { CloudState, MachineState } from './acts.js';

type Weighted<T> = readonly (readonly [weight: number, choice: T])[];

/** How long things take where machines boot, and how long is waited for them. */
export interface Pace {
  /** So many times as long lies between faults, and between commands, as on the local cloud. */
  readonly apart: number;
  /** After an instance was ended for good, until the next fault of a machine: a new one boots and joins in less. */
  readonly quietAfterTerminateS: number;
  /** A machine that thaws or starts again is silent for a while longer, most of all on a busy machine. */
  readonly recoversMs: number;
  /** Between the moment that somebody counts as lost and the beginning of the change lies an engine or a cloud that is just away. */
  readonly lateMs: number;
  /** How long it may take to be whole again by itself, and once more after a person's hand. */
  readonly wholeMs: number;
  /** How long it may take then until nothing is left over. */
  readonly tidiedMs: number;
}

/** A cloud as a campaign sees it: what befalls machines there, and how long things take. */
export interface Terrain {
  readonly cloud: 'local' | 'local/namespace' | 'ec2';
  /** Null: nothing, for as long as a fault would have lasted. */
  readonly machines: Weighted<MachineState | 'terminate' | 'reconfig' | null>;
  /** Empty where nobody is asked by the network. */
  readonly endpoint: Weighted<CloudState>;
  /** How many controllers an operator asks for at most. */
  readonly mostControllers: 3 | 5;
  /** Of those who are silent, and of those who were stopped. */
  readonly graces: Weighted<string>;
  readonly stoppedGraces: Weighted<string>;
  readonly pace: Pace;
}

const ON_LOCAL_NAMESPACES: Terrain['machines'] = [
  [5, 'frozen'],
  [2, 'off'],
  [2, 'stopped'],
  [6, 'partitioned'],
  [2, 'degraded'],
  [1, 'disk-full'],
  [1, 'clock-off'],
  [2, 'terminate'],
  [2, 'reconfig'],
];

/** Without namespaces nobody has a link, a disk or a clock of their own. */
const OF_NAMESPACES: Terrain['machines'][number][1][] = ['partitioned', 'degraded', 'disk-full', 'clock-off'];

const LOCAL: Terrain = {
  cloud: 'local/namespace',
  machines: ON_LOCAL_NAMESPACES,
  endpoint: [],
  mostControllers: 5,
  graces: [
    [2, '5s'],
    [1, '15s'],
  ],
  stoppedGraces: [
    [1, '0s'],
    [1, '30s'],
  ],
  pace: { apart: 1, quietAfterTerminateS: 20, recoversMs: 10_000, lateMs: 20_000, wholeMs: 180_000, tidiedMs: 0 },
};

export const TERRAINS: Readonly<Record<Terrain['cloud'], Terrain>> = {
  'local/namespace': LOCAL,
  local: {
    ...LOCAL,
    cloud: 'local',
    machines: ON_LOCAL_NAMESPACES.map(([weight, fault]) => [weight, OF_NAMESPACES.includes(fault) ? null : fault]),
  },
  // A new machine fetches 250 MB, and all of them share this one's processors; one that was off boots from its disk.
  ec2: {
    cloud: 'ec2',
    machines: [
      [4, 'frozen'],
      [2, 'off'],
      [2, 'stopped'],
      [2, 'rebooted'],
      [6, 'partitioned'],
      [2, 'degraded'],
      [3, 'terminate'],
      [2, 'reconfig'],
    ],
    endpoint: [
      [2, 'cloud-down'],
      [2, 'cloud-throttling'],
      [1, 'cloud-late'],
      [2, 'cloud-forgetful'],
    ],
    mostControllers: 3,
    graces: [
      [2, '30s'],
      [1, '60s'],
    ],
    stoppedGraces: [
      [1, '0s'],
      [1, '90s'],
    ],
    pace: {
      apart: 2,
      quietAfterTerminateS: 120,
      recoversMs: 45_000,
      lateMs: 60_000,
      wholeMs: 600_000,
      tidiedMs: 60_000,
    },
  },
};
