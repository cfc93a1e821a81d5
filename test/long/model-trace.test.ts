/**
 * The model against real members: what they are asked, answer and show is followed by the model (test/model/trace.ts). With
 * QUORATE_RECORD_TRACES=all, or the name of one, they are recorded anew into test/model/traces.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { follow, type Said, type Trace } from '../model/trace.js';
import { Recorder } from '../support/recorder.js';

const DIRECTORY = path.join(import.meta.dirname, '..', 'model', 'traces');

const primary = (said: readonly Said[]): number => said.findIndex((one) => one?.state === 'PRIMARY');
const states = (said: readonly Said[]): string => said.map((one) => one?.state[0] ?? '-').join('');
const level = (said: readonly Said[]): boolean => said.every((one) => (one?.place ?? 0) === 0);
/** So many say PRIMARY or SECONDARY, one of them PRIMARY, with one config and nothing left to copy. */
const settled = (members: number) => (said: readonly Said[]) => {
  const there = said.filter((one) => one?.state === 'PRIMARY' || one?.state === 'SECONDARY');
  const configs = new Set(there.map((one) => JSON.stringify(one?.config)));
  const terms = new Set(there.map((one) => one?.term));
  return (
    there.length === members &&
    states(said).split('P').length === 2 &&
    configs.size === 1 &&
    terms.size === 1 &&
    level(said)
  );
};

async function grow(recorder: Recorder, to: number): Promise<void> {
  const all = [0, 1, 2].slice(0, to);
  await recorder.reconfig(0, { voters: [0], members: all });
  await recorder.see(settled(to), 'all are members');
  for (let voters = 2; voters <= to; voters++) {
    await recorder.reconfig(0, { voters: all.slice(0, voters), members: all });
    await recorder.see(settled(to), `${voters} vote`);
  }
}

const RECORDINGS: Readonly<Record<string, { says: string; count: number; run(recorder: Recorder): Promise<void> }>> = {
  'one-to-three-and-back': {
    says: 'Members join, get votes one by one, hand over, lose their votes and leave; what MongoDB refuses on the way.',
    count: 3,
    async run(recorder) {
      expect(await recorder.write(0)).toBe(true);
      await recorder.reconfig(0, { voters: [0], members: [0, 1, 2] });
      await recorder.see(settled(3), 'two have joined');
      expect(await recorder.reconfig(0, { voters: [0, 1, 2], members: [0, 1, 2] }), 'two votes at once').toBe(103);
      expect(await recorder.reconfig(1, { voters: [0, 1], members: [0, 1, 2] }), 'not primary').toBe(10107);
      await recorder.reconfig(0, { voters: [0, 1], members: [0, 1, 2] });
      await recorder.see(settled(3), 'two vote');
      expect(await recorder.reconfig(0, { voters: [0, 1, 2], members: [0, 1, 2], higher: 0 }), 'the same version').toBe(
        103,
      );
      await recorder.reconfig(0, { voters: [0, 1, 2], members: [0, 1, 2] });
      await recorder.see(settled(3), 'three vote');
      expect(await recorder.write(0)).toBe(true);
      expect(await recorder.standUp(1)).toBe(0);
      await recorder.see((said) => primary(said) === 1 && settled(3)(said), 'machine 1 is primary');
      expect((await recorder.write(0)) || (await recorder.write(1))).toBe(true);
      await recorder.reconfig(1, { voters: [1, 2], members: [0, 1, 2] });
      await recorder.see(settled(3), 'two vote again');
      expect(await recorder.standUp(0), 'without a vote').toBe(125);
      await recorder.reconfig(1, { voters: [1], members: [0, 1, 2] });
      await recorder.reconfig(1, { voters: [1], members: [1] });
      await recorder.see((said) => states(said) === 'RPR', 'two are removed');
    },
  },
  'majority-lost': {
    says: 'What a primary refuses while a majority does not answer, what it loses, and who is elected.',
    count: 3,
    async run(recorder) {
      await grow(recorder, 3);
      recorder.freeze(1);
      recorder.freeze(2);
      await recorder.writeAlone(0);
      expect(await recorder.reconfig(0, { voters: [0, 1], members: [0, 1, 2], maxTimeMS: 3000 })).toBe(74);
      await recorder.kill(0);
      recorder.thaw(1);
      recorder.thaw(2);
      await recorder.see((said) => primary(said) > 0 && settled(2)(said), 'one of the two others is primary');
      await recorder.start(0);
      const said = await recorder.see(settled(3), 'what only the old primary had is gone');
      expect(await recorder.write(primary(said))).toBe(true);
      await recorder.see(settled(3), 'all hold it');
    },
  },
  'not-committed': {
    says: 'A config that its second voter cannot take holds up the next one.',
    count: 2,
    async run(recorder) {
      await recorder.reconfig(0, { voters: [0], members: [0, 1] });
      await recorder.see(settled(2), 'one has joined');
      const unlock = await recorder.hold(1);
      expect(await recorder.write(0), 'one voter is enough').toBe(true);
      await recorder.reconfig(0, { voters: [0, 1], members: [0, 1], maxTimeMS: 1500 });
      expect(await recorder.write(0), 'two are needed').toBe(false);
      expect(await recorder.reconfig(0, { voters: [0], members: [0, 1], maxTimeMS: 1500 })).toBe(308);
      await unlock();
      await recorder.see(settled(2), 'both have the config');
      expect(await recorder.reconfig(0, { voters: [0], members: [0, 1] })).toBe(0);
      await recorder.see(settled(2), 'one votes');
    },
  },
  'survivor-of-two': {
    says: 'One of two dies, the other goes on by a forced config, and the dead one comes back.',
    count: 2,
    async run(recorder) {
      await grow(recorder, 2);
      expect(await recorder.write(0)).toBe(true);
      await recorder.see(settled(2), 'both hold it');
      await recorder.kill(0);
      await recorder.see((said) => states(said) === '-S', 'no primary is left');
      expect(await recorder.standUp(1), 'without a majority').toBe(125);
      await recorder.force(1);
      await recorder.see((said) => states(said) === '-P', 'the survivor is primary');
      expect(await recorder.write(1)).toBe(true);
      await recorder.start(0);
      await recorder.see((said) => states(said) === 'RP', 'the other one is removed');
    },
  },
  'stale-force': {
    says: 'A forced set of one that comes late is taken by a healthy set of three and throws two members out.',
    count: 3,
    async run(recorder) {
      await grow(recorder, 3);
      expect(await recorder.write(0)).toBe(true);
      await recorder.force(2);
      await recorder.see((said) => states(said) === 'RRP', 'two members are removed');
    },
  },
};

async function record(name: string): Promise<Trace> {
  const { says, count, run } = RECORDINGS[name] as (typeof RECORDINGS)[string];
  await using recorder = await Recorder.start(count);
  await recorder.see((said) => said[0]?.state === 'PRIMARY', 'a set of one');
  await run(recorder);
  return await recorder.trace(says);
}

const wanted = process.env.QUORATE_RECORD_TRACES;
const recording = wanted !== undefined;

test.skipIf(!recording)(
  'records the traces anew',
  async () => {
    for (const name of Object.keys(RECORDINGS).filter((one) => wanted === 'all' || wanted === one)) {
      const trace = await record(name);
      await writeFile(path.join(DIRECTORY, `${name}.json`), `${JSON.stringify(trace, null, 1)}\n`);
      expect(follow(trace).at, name).toBe('');
    }
  },
  300_000,
);

test.skipIf(recording).each(Object.keys(RECORDINGS))(
  'the model could have done what was seen: %s',
  async (name) => {
    expect(follow(await record(name)).at).toBe('');
  },
  120_000,
);
