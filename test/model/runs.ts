/** What is explored: each change with the faults that it must survive, as large as continuous integration can wait for, or larger. */
import { plan } from '../../src/membership/plan.js';
import { CAREFUL, type World } from './executors.js';
import type { Explored } from './explore.js';
import type { FaultKind, Rules } from './rules.js';
import { REAL } from './server.js';
import { atRest, Mark, type State } from './state.js';

/** Who explores it: continuous integration, in a process for each group and two at a time, or a person with more time. */
export type Group = 'one-three' | 'at-three' | 'three-five' | 'at-five' | 'deep';

export interface Run {
  /** What is changed, under which faults: "1 → 3; 1 write, 1 of end". */
  readonly name: string;
  readonly group: Group;
  readonly first: State;
  readonly rules: Rules;
  /** It stops there, where all states are more than can be waited for; null where all are explored. */
  readonly most: number | null;
}

interface Change {
  readonly from: number;
  readonly to: number;
  readonly writes: number;
  /** How many of these may happen, one or the other. */
  readonly faults: number;
  readonly kinds: readonly FaultKind[];
  readonly marks?: readonly number[];
  /** What the second command wants, where one may be given. */
  readonly second?: number;
  /** What kind of change it is, where the numbers do not say so. */
  readonly says?: string;
  /** It adds and removes nobody. */
  readonly settle?: boolean;
  readonly most?: number;
}

const WORLD: World = {
  ...{ executors: CAREFUL, server: REAL, proof: 'note' as const, promptly: true },
  ...{ oneByOne: false, quietFirst: true },
};

const runIn =
  (group: Group) =>
  ({ from, to, writes, faults, kinds, marks = [], second, says, settle, most }: Change): Run => ({
    name: `${says ?? `${from} → ${to}`}; ${writes} ${writes === 1 ? 'write' : 'writes'}, ${
      faults === 0 ? 'no fault' : `${faults} of ${kinds.join(', ')}`
    }`,
    group,
    first: { ...atRest(from, { writes, faults, marks }), settle: settle ? 1 : 0 },
    rules: {
      ...{ controllers: to, faults: new Set(kinds), plan, rules: true },
      ...(second === undefined ? {} : { second }),
      world: group === 'deep' ? { ...WORLD, oneByOne: true, quietFirst: false } : WORLD,
    },
    most: most ?? null,
  });

const { none, keep, avoid, heir } = Mark;
/** What a deed, a wait or a change may suffer, beside late executors. */
const SMALL: readonly FaultKind[] = ['drop', 'twice', 'slow', 'false-election', 'torn', 'cancel'];
const ALL: readonly FaultKind[] = ['end', 'crash', 'cut', 'off', 'agent', ...SMALL, 'late'];
const up = { from: 1, to: 3 } as const;
const down = { from: 3, to: 1 } as const;

const ONE_THREE: readonly Change[] = [
  { ...up, writes: 2, faults: 0, kinds: [] },
  { ...up, writes: 1, faults: 1, kinds: ['end'] },
  { ...up, writes: 0, faults: 1, kinds: ['cut'] },
  { ...up, writes: 0, faults: 1, kinds: ['crash'] },
  { ...up, writes: 0, faults: 1, kinds: SMALL },
  { ...up, writes: 0, faults: 1, kinds: ['off', 'agent'], most: 120_000 },
  { ...up, writes: 0, faults: 2, kinds: ['end', 'late'] },
  { ...up, writes: 0, faults: 2, kinds: ['second', 'late'], second: 1, says: '1 → 3, then 1' },
  { ...down, writes: 2, faults: 0, kinds: [] },
  { ...down, writes: 1, faults: 1, kinds: ['end'] },
  { ...down, writes: 0, faults: 1, kinds: ['cut', 'crash'] },
  { ...down, writes: 0, faults: 2, kinds: ['end', 'late'] },
  { ...down, writes: 0, faults: 1, kinds: ['off', 'agent'] },
  { ...down, writes: 0, faults: 1, kinds: SMALL },
  { ...down, writes: 0, faults: 2, kinds: ['second', 'late'], second: 3, says: '3 → 1, then 3' },
  { ...down, writes: 1, faults: 1, kinds: ['end'], marks: [none, none, keep], says: '3 → 1, --keep 2' },
];

const among3 = { from: 3, to: 3 } as const;
const among5 = { from: 5, to: 5 } as const;

const AT_THREE: readonly Change[] = [
  { ...among3, writes: 1, faults: 1, kinds: ['end'], says: '3, one lost' },
  { ...among3, writes: 0, faults: 1, kinds: ['cut'], says: '3, one silent' },
  { ...among3, writes: 0, faults: 1, kinds: ['end'], marks: [avoid], says: '3, replace the primary' },
  { ...among3, writes: 0, faults: 1, kinds: ['end'], marks: [none, none, avoid], says: '3, replace another' },
  {
    ...{ ...among3, writes: 1, faults: 1, kinds: ['end', 'cut', 'drop'], marks: [none, none, heir] },
    ...{ settle: true, says: '3, switchover' },
  },
];

const THREE_FIVE: readonly Change[] = [
  { from: 3, to: 5, writes: 1, faults: 0, kinds: [] },
  { from: 3, to: 5, writes: 0, faults: 1, kinds: ['end'], most: 150_000 },
  { from: 5, to: 3, writes: 1, faults: 0, kinds: [] },
  { from: 5, to: 3, writes: 0, faults: 1, kinds: ['end'] },
];

const AT_FIVE: readonly Change[] = [
  { ...among5, writes: 0, faults: 1, kinds: ['end'], says: '5, one lost' },
  { ...among5, writes: 0, faults: 0, kinds: [], marks: [avoid], says: '5, replace the primary' },
  { ...among5, writes: 0, faults: 0, kinds: [], marks: [none, none, none, none, avoid], says: '5, replace another' },
  {
    ...{ ...among5, writes: 0, faults: 1, kinds: ['end'], marks: [none, none, none, none, avoid] },
    ...{ says: '5, replace another', most: 120_000 },
  },
];

/** No more states than the memory of an ordinary machine holds; the output says which runs ended there. */
const MOST_DEEP = 15_000_000;

const DEEP: readonly Change[] = [
  { ...up, writes: 1, faults: 1, kinds: ALL },
  { ...up, writes: 2, faults: 1, kinds: ['end', 'cut'] },
  { ...up, writes: 0, faults: 2, kinds: ['end', 'crash', 'cut', 'late', 'twice'] },
  { ...down, writes: 1, faults: 1, kinds: ALL },
  { ...down, writes: 2, faults: 1, kinds: ['end', 'cut'] },
  { ...down, writes: 0, faults: 2, kinds: ['end', 'crash', 'cut', 'late', 'twice'] },
  { ...among3, writes: 1, faults: 1, kinds: ALL, says: '3, whatever happens' },
  { ...among3, writes: 1, faults: 1, kinds: ALL, marks: [avoid], says: '3, replace the primary' },
  { from: 3, to: 5, writes: 1, faults: 1, kinds: ['end', 'cut'] },
  { from: 5, to: 3, writes: 1, faults: 1, kinds: ['end', 'cut'] },
  { ...among5, writes: 0, faults: 1, kinds: ['end'], marks: [avoid], says: '5, replace the primary' },
];

export const RUNS: readonly Run[] = [
  ...ONE_THREE.map(runIn('one-three')),
  ...AT_THREE.map(runIn('at-three')),
  ...THREE_FIVE.map(runIn('three-five')),
  ...AT_FIVE.map(runIn('at-five')),
  ...DEEP.map((change) => runIn('deep')({ ...change, most: MOST_DEEP })),
];

const WIDTH = 62;

/** One line of the table of runs. */
export function told({ name }: Run, { states, transitions, depth, seconds, cut, found }: Explored): string {
  const numbers = [states, transitions].map((n) => n.toLocaleString('en').padStart(12)).join('');
  const end = found !== null ? found.wrong.invariant : cut ? 'bounded: the nearest states' : 'all states';
  return `${name.padEnd(WIDTH)}${numbers}${String(depth).padStart(6)}${seconds.toFixed(1).padStart(8)} s  ${end}`;
}

export const HEADING = `${''.padEnd(WIDTH)}      states transitions depth      time`;
