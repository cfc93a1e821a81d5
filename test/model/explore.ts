/**
 * All states that can be reached, nearest first, so that what is found wrong is found on a shortest way. States are kept as
 * 64-bit fingerprints, with the state before and the action that led there; the way itself is gone again when it is told.
 */
import { actions } from './actions.js';
import { canonical, keyOf } from './canonical.js';
import { STUCK, type Wrong } from './oracle.js';
import { Rank, type Rules } from './rules.js';
import { End, type State } from './state.js';

export interface Explored {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly seconds: number;
  /** It stopped at the limit of states before it had seen all. */
  readonly cut: boolean;
  /** How the change ended, in words, with how many states do. */
  readonly ends: ReadonlyMap<string, number>;
  readonly found: Found | null;
}

export interface Found {
  readonly wrong: Wrong;
  /** What happened, one line each. */
  readonly story: readonly string[];
}

export interface Options {
  /** No more states than this. */
  readonly most?: number;
  /** Only these invariants count. */
  readonly only?: (wrong: Wrong) => boolean;
  /** Stop at the first end that says so, and tell how it came. */
  readonly seek?: RegExp;
}

/** Explores from `first`. Stops at the first thing that is wrong. */
export function explore(first: State, rules: Rules, options: Options = {}): Explored {
  const began = performance.now();
  const most = options.most ?? 50_000_000;
  const seen = new Fingerprints();
  const before = new Growing();
  const action = new Growing();
  // Where a run goes when no fault comes any more: nothing broken comes back, or everything does.
  const goesOn = new Growing();
  const goesOnMended = new Growing();
  const ends = new Map<string, number>();
  let transitions = 0;
  let depth = 0;
  let found: Found | null = null;
  const start = canonical(first);
  seen.add(keyOf(start));
  before.push(-1);
  action.push(0);
  let frontier: State[] = [start];
  let id = 0;
  const way = (to: number): number[] => {
    const path: number[] = [];
    for (let at = to; before.at(at) >= 0; at = before.at(at)) path.unshift(action.at(at));
    return path;
  };
  while (frontier.length > 0 && found === null && seen.size < most) {
    const next: State[] = [];
    for (const state of frontier) {
      const from = id++;
      let nth = 0;
      let [best, bestRank] = [from, 99];
      let [bestMended, bestMendedRank] = [from, 99];
      actions(state, rules, (after, rank, text, wrong) => {
        const number = nth++;
        transitions++;
        if (found !== null) return;
        if (wrong !== null && (options.only?.(wrong) ?? true)) {
          found = { wrong, story: tell(first, [...way(from), number], rules) };
          return;
        }
        if (after.end !== End.running && state.end === End.running) {
          const said = text();
          if (options.seek?.test(said))
            found = { wrong: { invariant: said, kind: 'outcome' }, story: tell(first, [...way(from), number], rules) };
          ends.set(said, (ends.get(said) ?? 0) + 1);
        }
        const form = canonical(after);
        let to = seen.add(keyOf(form));
        if (to < 0) to = ~to;
        else {
          before.push(from);
          action.push(number);
          next.push(form);
        }
        if (rank === Rank.never) return;
        if (rank !== Rank.repair && rank < bestRank) [best, bestRank] = [to, rank];
        if (rank < bestMendedRank) [bestMended, bestMendedRank] = [to, rank];
      });
      goesOn.push(best);
      goesOnMended.push(bestMended);
      if (found === null && best === from && state.end === End.running && nth > 0) {
        if (options.only?.(STUCK) ?? true) found = { wrong: STUCK, story: goingRound(first, way(from), rules) };
      }
      if (found !== null) break;
    }
    if (next.length > 0) depth++;
    frontier = next;
  }
  if (found === null && frontier.length === 0) {
    const stuck = circleIn(goesOn, id) ?? circleIn(goesOnMended, id);
    if (stuck !== null && (options.only?.(STUCK) ?? true)) {
      found = { wrong: STUCK, story: goingRound(first, way(stuck), rules) };
    }
  }
  return {
    ...{ states: seen.size, transitions, depth, ends, found },
    seconds: (performance.now() - began) / 1000,
    cut: frontier.length > 0 && found === null,
  };
}

/** A state from which the run goes round for ever, the first one found; null when every run ends. */
function circleIn(goesOn: Growing, size: number): number | null {
  const mark = new Int32Array(size);
  for (let start = 0; start < size; start++) {
    let at = start;
    while (at < size && mark[at] === 0) {
      mark[at] = start + 1;
      const to = goesOn.at(at);
      if (to === at) break;
      at = to;
    }
    if (at < size && mark[at] === start + 1 && goesOn.at(at) !== at) return start;
  }
  return null;
}

/** The way along these actions, told. */
export function tell(first: State, path: readonly number[], rules: Rules): string[] {
  return replay(first, path, rules).story;
}

function replay(first: State, path: readonly number[], rules: Rules): { story: string[]; last: State } {
  let state = canonical(first);
  const story: string[] = [];
  for (const wanted of path) {
    let nth = 0;
    let next: State | null = null;
    actions(state, rules, (after, _rank, text) => {
      if (nth++ === wanted) {
        next = after;
        story.push(text());
      }
    });
    if (next === null) throw new Error('the way cannot be gone again');
    const { machines } = next as State;
    state = canonical(next);
    if (state.machines.length < machines.length)
      story.push('(who is gone is forgotten: those after it are told with a lower number from here on)');
  }
  return { story, last: state };
}

/** The way to a run that goes round, and one round of it. */
function goingRound(first: State, path: readonly number[], rules: Rules): string[] {
  const { story, last } = replay(first, path, rules);
  story.push('and from there on, without faults, for ever:');
  const been = new Set<string>();
  let state = last;
  while (!been.has(keyOf(state))) {
    been.add(keyOf(state));
    let best: { next: State; rank: number; text: string } | null = null;
    actions(state, rules, (next, rank, text) => {
      if (rank !== Rank.never && rank !== Rank.repair && (best === null || rank < (best as { rank: number }).rank))
        best = { next, rank, text: text() };
    });
    if (best === null) break;
    const { next, text } = best as { next: State; text: string };
    story.push(text);
    state = canonical(next);
  }
  return story;
}

/** A list of integers that grows. */
class Growing {
  #items = new Int32Array(1 << 12);
  #size = 0;
  push(value: number): void {
    if (this.#size === this.#items.length) {
      const larger = new Int32Array(this.#items.length * 2);
      larger.set(this.#items);
      this.#items = larger;
    }
    this.#items[this.#size++] = value;
  }
  at(i: number): number {
    return this.#items[i] as number;
  }
}

/** A set of strings by 64-bit fingerprints, each with the number in which it came. */
class Fingerprints {
  #high = new Uint32Array(1 << 14);
  #low = new Uint32Array(1 << 14);
  #ids = new Int32Array(1 << 14);
  size = 0;

  /** Its number when it is new, else the complement of the number that it has. */
  add(key: string): number {
    let a = 0x9e3779b9;
    let b = 0x85ebca6b;
    for (let i = 0; i < key.length; i++) {
      const code = key.charCodeAt(i);
      a = Math.imul(a ^ code, 0x01000193);
      a = (a << 13) | (a >>> 19);
      b = Math.imul(b ^ code, 0xcc9e2d51);
      b = (b << 15) | (b >>> 17);
    }
    a = mix(a ^ key.length);
    b = mix(b + a);
    return this.#place(a >>> 0, b >>> 0 || 1);
  }

  #place(high: number, low: number): number {
    if (this.size * 2 > this.#ids.length) this.#grow();
    const wrap = this.#ids.length - 1;
    let at = (high ^ Math.imul(low, 0x27d4eb2d)) & wrap;
    for (; this.#low[at] !== 0; at = (at + 1) & wrap) {
      if (this.#low[at] === low && this.#high[at] === high) return ~(this.#ids[at] as number);
    }
    this.#high[at] = high;
    this.#low[at] = low;
    this.#ids[at] = this.size;
    return this.size++;
  }

  #grow(): void {
    const [high, low, ids] = [this.#high, this.#low, this.#ids];
    const size = ids.length * 2;
    this.#high = new Uint32Array(size);
    this.#low = new Uint32Array(size);
    this.#ids = new Int32Array(size);
    for (let i = 0; i < ids.length; i++) {
      if (low[i] === 0) continue;
      let at = ((high[i] as number) ^ Math.imul(low[i] as number, 0x27d4eb2d)) & (size - 1);
      while (this.#low[at] !== 0) at = (at + 1) & (size - 1);
      this.#high[at] = high[i] as number;
      this.#low[at] = low[i] as number;
      this.#ids[at] = ids[i] as number;
    }
  }
}

function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
