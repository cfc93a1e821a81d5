import { describe, expect, test } from 'vitest';
import type { Entry } from './acts.js';
import { nameOf, wordsOf } from './acts.js';
import { EVERYTHING, plan } from './schedule.js';

const seeds = Array.from({ length: 50 }, (_, index) => index * 7919 + 1);

/** What is under way at each moment of an actor's lane. */
function open(entries: readonly Entry[], actor: Entry['actor']): number[] {
  const under = new Set<number>();
  return entries
    .filter((entry) => entry.actor === actor)
    .map(({ act }) => {
      if (act.kind === 'begin' || act.kind === 'begin-engine' || act.kind === 'begin-cloud') under.add(act.fault);
      if (act.kind === 'end') under.delete(act.fault);
      return under.size;
    });
}

describe('a schedule', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(plan(42, 3)).toEqual(plan(42, 3));
    expect(plan(42, 3).entries).not.toEqual(plan(43, 3).entries);
  });

  test.each(seeds)(
    '%i: has one fault of a machine and one of the engine at a time, and takes all of them back',
    (seed) => {
      const { entries, seconds } = plan(seed, 5);
      for (const actor of ['machines', 'engine'] as const) {
        const counts = open(entries, actor);
        expect(Math.max(...counts)).toBeLessThanOrEqual(1);
        expect(counts.at(-1)).toBe(0);
      }
      expect(entries.every(({ at }, index) => at >= (entries[index - 1]?.at ?? 0) && at <= seconds)).toBe(true);
    },
  );

  test.each(seeds)('%i: leaves time for a new machine after one was ended for good', (seed) => {
    const { entries } = plan(seed, 10);
    const machines = entries.filter(({ actor }) => actor === 'machines');
    for (const [index, { at, act }] of machines.entries()) {
      const next = machines[index + 1];
      if (act.kind === 'terminate' && next) expect(next.at - at).toBeGreaterThanOrEqual(20);
    }
  });

  test('a part of one lane that cannot be had leaves the other lanes as they are', () => {
    const few = plan(7, 10, { commands: ['enable-ha'], namespaces: false, cloud: 'local' });
    const all = plan(7, 10, EVERYTHING);
    for (const actor of ['processes', 'engine'] as const) {
      expect(few.entries.filter((entry) => entry.actor === actor)).toEqual(
        all.entries.filter((entry) => entry.actor === actor),
      );
    }
    for (const { act } of few.entries) {
      if (act.kind === 'command') expect(act.words[0]).toBe('enable-ha');
      if (act.kind === 'begin') expect(['frozen', 'off', 'stopped']).toContain(act.state);
    }
  });

  test('on EC2 all befalls that there is and nothing else, and its endpoint fails in one way at a time', () => {
    const schedules = seeds.map((seed) => plan(seed, 20, { ...EVERYTHING, cloud: 'ec2' }));
    for (const { entries, settings } of schedules) {
      expect(settings.terrain.cloud).toBe('ec2');
      expect(Math.max(0, ...open(entries, 'cloud'))).toBeLessThanOrEqual(1);
      expect(open(entries, 'cloud').at(-1) ?? 0).toBe(0);
    }
    const acts = schedules.flatMap(({ entries }) => entries.map(({ act }) => act));
    const begun = new Set(
      acts.flatMap((act) => (act.kind === 'begin' || act.kind === 'begin-cloud' ? [act.state] : [])),
    );
    const ofMachines = ['frozen', 'off', 'stopped', 'rebooted', 'partitioned', 'degraded'];
    const ofTheCloud = ['cloud-down', 'cloud-throttling', 'cloud-late', 'cloud-forgetful'];
    expect([...begun].sort()).toEqual([...ofMachines, ...ofTheCloud].sort());
    expect(acts.filter((act) => act.kind === 'command' && act.words.includes('5'))).toEqual([]);
  });

  test('over many seeds everything there is happens, to one, to a majority and to all', () => {
    const acts = seeds.flatMap((seed) => plan(seed, 10).entries.map(({ act }) => act));
    const names = new Set(acts.map(nameOf));
    for (const name of EVERYTHING.commands) expect(names).toContain(name);
    for (const name of ['frozen', 'off', 'stopped', 'partitioned', 'degraded', 'disk-full', 'clock-off'])
      expect(names).toContain(name);
    for (const name of ['kill mongod', 'kill agent', 'kill api', 'kill worker', 'kill engine worker', 'terminate'])
      expect(names).toContain(name);
    for (const name of ['engine-down', 'engine-frozen', 'reconfig by hand (vote)']) expect(names).toContain(name);
    const reaches = acts.flatMap((act) => (act.kind === 'begin' ? [`${act.state} ${act.reach}`] : []));
    expect(new Set(reaches)).toContain('frozen majority');
    expect(new Set(reaches)).toContain('off all');
  });

  test('is told in words', () => {
    const whom = { role: 'primary', pick: 0.5 } as const;
    expect(wordsOf({ kind: 'kill', service: 'mongod', whom, reach: 'one' })).toBe('kill mongod of the primary');
    const manner = { from: 'another', way: 'in', delayMs: 0, lossPercent: 0, clockOffsetMs: 0 } as const;
    expect(wordsOf({ kind: 'begin', fault: 3, state: 'off', whom, reach: 'majority', manner })).toBe(
      '#3 off: majority, first the primary',
    );
    expect(wordsOf({ kind: 'begin', fault: 3, state: 'partitioned', whom, reach: 'one', manner })).toBe(
      '#3 partitioned from another (in): the primary',
    );
    expect(wordsOf({ kind: 'command', words: ['replace', '{0}'], whom: { role: 'any', pick: 0.25 } })).toBe(
      'quorate replace machine 0.25',
    );
  });
});
