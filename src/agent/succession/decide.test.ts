import { describe, expect, test } from 'vitest';
import { type Action, decide, type Event, initial, type State } from './decide.js';
import type { View, ViewMember } from './view.js';

const LIMITS = { suspectAfterMs: 500 };
const at = (s: number) => ({ t: 1, s, i: 0 });

function viewOfThree(self: number, more: Partial<View> = {}): View {
  const members = [0, 1, 2].map((id) => ({ id, host: `m${id}:1`, votes: 1, priority: 1, zone: '', well: true }));
  return {
    ...{ self, term: 1, state: 'SECONDARY', primary: 0, optime: at(10), primaryOptime: at(10), syncSource: 0 },
    ...{ heartbeatMs: 500, members, ...more },
  };
}

/** One member's succession, told what happens at which millisecond. */
class Scenario {
  now = 0;
  state: State = initial(0);
  readonly done: Action[] = [];
  view: View;

  constructor(self: number, more: Partial<View> = {}) {
    this.view = viewOfThree(self, more);
    this.tell({ kind: 'view', view: this.view });
  }

  tell(event: Event): this {
    const { state, actions } = decide(this.state, event, this.now, LIMITS);
    this.state = state;
    this.done.push(...actions);
    return this;
  }

  sees(more: Partial<View>): this {
    this.view = { ...this.view, ...more };
    return this.tell({ kind: 'view', view: this.view });
  }

  /** Time passes; the own mongod is looked at all the while, members in `answering` answer every 100 ms. */
  passes(ms: number, answering: readonly number[] = []): this {
    for (const end = this.now + ms; this.now < end; ) {
      this.now += 5;
      if (this.now % 10 === 0) this.sees({});
      for (const of of this.now % 100 === 0 ? answering : []) this.tell({ kind: 'answered', of, optime: at(10) });
      this.tell({ kind: 'tick' });
    }
    return this;
  }

  stalls(ms: number): this {
    this.now += ms;
    return this.tell({ kind: 'tick' });
  }

  refused(of = 0): this {
    return this.tell({ kind: 'refused', of });
  }

  confirmed(of = 0): this {
    return this.tell({ kind: 'confirmed', of });
  }

  count(kind: Action['kind']): number {
    return this.done.filter((action) => action.kind === kind).length;
  }

  last<K extends Action['kind']>(kind: K): Extract<Action, { kind: K }> | undefined {
    return this.done.findLast((action): action is Extract<Action, { kind: K }> => action.kind === kind);
  }
}

describe('the primary is dead', () => {
  test('the first in the order stands up at once', () => {
    const one = new Scenario(1).passes(1000, [0]).refused();
    expect(one.last('stand-up')).toEqual({ kind: 'stand-up', cause: 'dead', after: 0 });
  });

  test('the second leaves the first its turn, and stands up when there is no new primary by then', () => {
    const two = new Scenario(2).passes(1000, [0]).refused();
    expect(two.last('ask-before')).toEqual({ kind: 'ask-before', members: [1] });
    expect(
      two
        .tell({ kind: 'before', of: 1, optime: at(10) })
        .passes(190)
        .count('stand-up'),
    ).toBe(0);
    expect(two.passes(20).count('stand-up')).toBe(1);
  });

  test.each([
    ['has less, as no voter takes it', at(9)],
    ['does not answer', null],
  ])('the second stands up at once when the first %s', (_, optime) => {
    const two = new Scenario(2).passes(1000, [0]).refused().tell({ kind: 'before', of: 1, optime });
    expect(two.count('stand-up')).toBe(1);
  });

  test('of five, one waits for those alone that can win', () => {
    const members = [0, 1, 2, 3, 4].map((id) => ({ ...viewOfThree(0).members[0], id, host: `m${id}:1` }) as ViewMember);
    const four = new Scenario(4, { members }).passes(1000, [0]).refused();
    for (const of of [1, 3]) four.tell({ kind: 'before', of, optime: null });
    expect(four.passes(190).count('stand-up')).toBe(0);
    expect(four.passes(20).count('stand-up')).toBe(1);
  });

  test('the second stays when the first has won meanwhile', () => {
    const two = new Scenario(2).passes(1000, [0]).refused().passes(15);
    two.sees({ primary: 1, term: 2 }).passes(500, [1]);
    expect(two.count('stand-up')).toBe(0);
    expect(two.last('watch')).toEqual({ kind: 'watch', members: [1] });
  });

  test('the second gives one that is being elected some time', () => {
    const two = new Scenario(2).passes(1000, [0]).refused().passes(15).sees({ term: 2 });
    expect(two.passes(280).count('stand-up')).toBe(0);
    expect(two.passes(60).count('stand-up')).toBe(1);
  });

  test('a refused one tries again after 10 ms, one at a time, until it is primary', () => {
    const one = new Scenario(1).passes(1000, [0]).refused();
    expect(one.passes(50).count('stand-up')).toBe(1);
    one.tell({ kind: 'stood-up', outcome: 'refused' });
    expect(one.passes(5).count('stand-up')).toBe(1);
    expect(one.passes(10).count('stand-up')).toBe(2);
    one.tell({ kind: 'stood-up', outcome: 'primary' }).sees({ primary: 1, state: 'PRIMARY', term: 2 }).passes(500);
    expect(one.count('stand-up')).toBe(2);
    expect(one.state).toMatchObject({ successions: 1, suspicion: null, watched: null });
  });

  test('the one that has won looks again before it suspects anybody', () => {
    const one = new Scenario(1).passes(1000, [0]).refused().tell({ kind: 'stood-up', outcome: 'primary' });
    expect(one.last('look')).toBeDefined();
    one.refused().refused();
    expect(one.count('stand-up')).toBe(1);
  });

  test('one that is seconds behind does not try', () => {
    const one = new Scenario(1, { optime: at(5) }).passes(1000, [0]).refused().passes(200);
    expect(one.count('stand-up')).toBe(0);
  });

  test('one without a vote does not try, and one that is not secondary neither', () => {
    const members = viewOfThree(1).members.map((m) => (m.id === 1 ? { ...m, votes: 0, priority: 0 } : m));
    expect(new Scenario(1, { members }).refused().passes(200).count('stand-up')).toBe(0);
    expect(new Scenario(1, { state: 'RECOVERING' }).refused().passes(200).count('stand-up')).toBe(0);
  });

  test('started again before anybody stood up, it keeps its place', () => {
    const two = new Scenario(2).passes(1000, [0]).refused().passes(10);
    two.tell({ kind: 'answered', of: 0, optime: at(10) }).passes(200, [0]);
    expect(two.count('stand-up')).toBe(0);
  });

  test('without its own mongod nobody stands up', () => {
    const two = new Scenario(2).passes(1000, [0]).refused().tell({ kind: 'view', view: null });
    two.now += 100;
    expect(two.tell({ kind: 'tick' }).count('stand-up')).toBe(0);
  });

  test('after ten seconds it is left to MongoDB', () => {
    const one = new Scenario(1).passes(1000, [0]).refused();
    for (let i = 0; i < 1000; i++) one.tell({ kind: 'stood-up', outcome: 'refused' }).passes(15);
    const tried = one.count('stand-up');
    expect(one.passes(1000).count('stand-up')).toBe(tried);
    expect(one.last('tell')?.text).toContain('Nobody could stand up');
  });

  test('a refusal by one that is not primary any more means nothing', () => {
    const two = new Scenario(2).sees({ primary: 1, term: 2 }).passes(300, [1]).refused(0).passes(300, [1]);
    expect(two.count('stand-up')).toBe(0);
  });
});

describe('the primary is silent', () => {
  test('the others are asked early, and their word counts only after half a second', () => {
    const one = new Scenario(1).passes(1000, [0]);
    expect(one.passes(200).count('ask-others')).toBe(0);
    expect(one.passes(100).confirmed().passes(150).count('ask-others')).toBeGreaterThan(1);
    expect(one.count('stand-up')).toBe(0);
    expect(one.passes(60).confirmed().last('stand-up')).toEqual({ kind: 'stand-up', cause: 'silent', after: 0 });
  });

  test('who loses only its own link stays quiet: nobody confirms', () => {
    const one = new Scenario(1).passes(1000, [0]).passes(20_000);
    expect(one.count('ask-others')).toBeGreaterThan(100);
    expect(one.count('stand-up')).toBe(0);
  });

  test('a watcher that did not run itself does not count that time', () => {
    const one = new Scenario(1).passes(1000, [0]).stalls(5000).confirmed();
    expect(one.count('stand-up')).toBe(0);
    expect(one.passes(300).confirmed().count('stand-up')).toBe(0);
    expect(one.passes(300).confirmed().count('stand-up')).toBe(1);
  });

  test('two that were alive after all switch it off for five minutes', () => {
    const one = new Scenario(1).passes(1000, [0]);
    for (let i = 0; i < 2; i++) {
      one.passes(600).confirmed();
      expect(one.count('stand-up')).toBe(i + 1);
      one.tell({ kind: 'stood-up', outcome: 'primary' }).sees({ primary: 1, state: 'PRIMARY' }).passes(300);
      expect(one.last('watch')).toEqual({ kind: 'watch', members: [0] });
      one.passes(100, [0]).sees({ primary: 0, state: 'SECONDARY' }).passes(5000, [0]);
    }
    expect(one.last('tell')?.text).toContain('off for 5 minutes');
    one.passes(600).confirmed().refused().passes(100);
    expect(one.count('stand-up')).toBe(2);
    one.passes(300_000, [0]).passes(600).confirmed();
    expect(one.count('stand-up')).toBe(3);
  });

  test('one that answers seconds later had really been away', () => {
    const one = new Scenario(1).passes(1000, [0]);
    for (let i = 0; i < 3; i++) {
      one.passes(600).confirmed().tell({ kind: 'stood-up', outcome: 'primary' });
      one.sees({ primary: 1, state: 'PRIMARY' }).passes(3000).passes(100, [0]);
      one.sees({ primary: 0, state: 'SECONDARY' }).passes(500, [0]);
    }
    expect(one.state).toMatchObject({ successions: 3, mistakes: [], offUntil: 0 });
  });
});

describe('a secondary hangs on a silent member', () => {
  const frozen = () => new Scenario(2).passes(1000, [0]).passes(600).confirmed();
  const goesOn = (scenario: Scenario) => scenario.tell({ kind: 'answered', of: 1, optime: at(11) });

  test('it is freed once there is a primary elsewhere that goes on without it', () => {
    const two = frozen().sees({ primary: 1, term: 2 });
    expect(two.count('free')).toBe(0);
    expect(goesOn(two).last('free')).toEqual({ kind: 'free', from: 0, turn: 0 });
    goesOn(two.passes(300));
    expect(two.count('free')).toBe(1);
    // Closing connections may be repeated, when it took the same source again; starting mongod again may not.
    goesOn(two.tell({ kind: 'closed', from: 0 }).passes(300));
    expect(two.count('free')).toBe(2);
  });

  test('it is not, while it is applying something or the primary has nothing new', () => {
    const two = frozen().sees({ primary: 1, term: 2, optime: at(10.5) });
    expect(goesOn(two).count('free')).toBe(0);
    const idle = frozen().sees({ primary: 1, term: 2 });
    expect(
      idle
        .tell({ kind: 'answered', of: 1, optime: at(10) })
        .passes(300)
        .count('free'),
    ).toBe(0);
  });

  test('it is not, when it follows another already or the silent one has answered since', () => {
    expect(goesOn(frozen().sees({ primary: 1, term: 2, syncSource: 1 })).count('free')).toBe(0);
    const back = frozen()
      .sees({ primary: 1, term: 2 })
      .tell({ kind: 'answered', of: 0, optime: at(10) });
    expect(goesOn(back).count('free')).toBe(0);
  });

  test('on a secondary that froze: its source is asked first', () => {
    const two = new Scenario(2, { syncSource: 1 }).passes(1000, [0]);
    goesOn(two.tell({ kind: 'answered', of: 0, optime: at(11) }));
    expect(two.last('ask-source')).toEqual({ kind: 'ask-source', source: 1 });
    expect(two.count('free')).toBe(0);
    expect(two.tell({ kind: 'source', of: 1, silent: true }).last('free')).toEqual({ kind: 'free', from: 1, turn: 0 });
  });

  test('the others of five have their turn after those before them', () => {
    const [one] = viewOfThree(0).members as [View['members'][0]];
    const members = [0, 1, 2, 3, 4].map((id) => ({ ...one, id, host: `m${id}:1` }));
    const four = new Scenario(4, { members }).passes(1000, [0]).passes(600).confirmed().sees({ primary: 1, term: 2 });
    expect(goesOn(four).last('free')).toEqual({ kind: 'free', from: 0, turn: 2 });
  });
});

describe('a secondary follows another secondary', () => {
  const busy = (scenario: Scenario, seconds: number) => {
    for (let i = 0; i < 2 * seconds; i++) scenario.sees({ optime: at(scenario.view.optime.s + 1) }).passes(500, [0]);
    return scenario;
  };

  test('and is led back to the primary after four busy seconds', () => {
    const two = new Scenario(2, { syncSource: 1 });
    expect(busy(two, 3).count('follow-primary')).toBe(0);
    expect(busy(two, 2).last('follow-primary')).toEqual({ kind: 'follow-primary', primary: 0 });
  });

  test('and is left there while nothing is written, or a member is not well', () => {
    expect(new Scenario(2, { syncSource: 1 }).passes(20_000, [0]).count('follow-primary')).toBe(0);
    const members = viewOfThree(2).members.map((m) => ({ ...m, well: m.id !== 1 }));
    expect(busy(new Scenario(2, { syncSource: 1, members }), 20).count('follow-primary')).toBe(0);
  });
});
