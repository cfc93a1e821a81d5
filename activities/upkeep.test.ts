import { describe, expect, test } from 'vitest';
import type { BucketSeen } from '../src/state/bucket.js';
import { BATCH, type Kept, STORIES, spentObjects, toPublish, toSweep } from './upkeep.js';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const tidy: BucketSeen = { version: 3, sureAt: 7, ageMs: 0, tidiedAgeMs: 0 };
const kept = (some: Partial<Kept>): Kept => ({
  machines: [],
  tokens: [],
  presence: [],
  changes: [],
  statusLogs: [],
  ...some,
});

describe('the publisher', () => {
  const work = (version: number, sureAt = tidy.sureAt) => ({ kind: 'publish', machine: 'addresses', version, sureAt });

  test('writes the first set, and each newer one', () => {
    expect(toPublish(0, null)).toBeNull();
    expect(toPublish(1, null)).toEqual(work(1, 0));
    expect(toPublish(4, tidy)).toEqual(work(4));
    expect(toPublish(3, tidy)).toBeNull();
  });

  test('leaves a newer one alone, and makes sure of it now and then', () => {
    expect(toPublish(2, tidy)).toBeNull();
    expect(toPublish(3, { ...tidy, ageMs: 9 * MINUTE })).toBeNull();
    expect(toPublish(3, { ...tidy, ageMs: 11 * MINUTE })).toEqual(work(3));
  });
});

describe('the cleaner', () => {
  const machines = [{ id: '1', nonce: 'n1' }];

  test('sweeps tokens and presence of machines that are gone, once they are old enough', () => {
    const tokens = [
      { nonce: 'n1', ageMs: 9 * DAY },
      { nonce: 'n0', ageMs: 2 * DAY },
      { nonce: 'n2', ageMs: 3 * DAY },
      { nonce: 'n3', ageMs: DAY / 2 },
    ];
    const presence = [
      { machine: '1', ageMs: DAY },
      { machine: '2', ageMs: 2 * MINUTE },
      { machine: '3', ageMs: MINUTE / 2 },
    ];
    expect(toSweep(kept({ machines, tokens, presence }), tidy)).toEqual([
      { kind: 'sweep', machine: 'tokens', ids: ['n2', 'n0'] },
      { kind: 'sweep', machine: 'presence', ids: ['2'] },
    ]);
  });

  test('finds nothing where all are there', () => {
    const tokens = [{ nonce: 'n1', ageMs: 9 * DAY }];
    expect(toSweep(kept({ machines, tokens, presence: [{ machine: '1', ageMs: DAY }] }), tidy)).toEqual([]);
  });

  const stories = (count: number, endedAgeMs: (number: number) => number | null): Kept['changes'] =>
    Array.from({ length: count }, (_, index) => ({
      id: `c${index + 1}`,
      number: index + 1,
      endedAgeMs: endedAgeMs(index + 1),
    }));
  const swept = (changes: Kept['changes']) => {
    const [sweep, ...others] = toSweep(kept({ changes }), tidy);
    expect(others).toEqual([]);
    return sweep?.kind === 'sweep' ? sweep.ids : [];
  };

  test('keeps the newest stories however old, and a thousand while they are young', () => {
    expect(swept(stories(STORIES.always, () => 400 * DAY))).toEqual([]);
    expect(swept(stories(STORIES.most, () => 80 * DAY))).toEqual([]);
    expect(swept(stories(STORIES.most + 2, () => DAY))).toEqual(['c1', 'c2']);
    expect(swept(stories(STORIES.always + 3, (number) => (number <= 2 ? 91 * DAY : DAY)))).toEqual(['c1', 'c2']);
  });

  test('never forgets a change that runs', () => {
    expect(swept(stories(STORIES.most + 2, (number) => (number === 1 ? null : DAY)))).toEqual(['c2']);
  });

  test('takes a batch at a time, the oldest first', () => {
    const ids = swept(stories(STORIES.most + 250, () => DAY));
    expect(ids).toHaveLength(BATCH);
    expect(ids.slice(0, 2)).toEqual(['c1', 'c2']);
  });

  test('shortens status logs that are too long, the longest first, of machines that are gone too', () => {
    const statusLogs = [
      { machine: '1', entries: 201 },
      { machine: '9', entries: 4000 },
    ];
    expect(toSweep(kept({ machines, statusLogs }), tidy)).toEqual([
      { kind: 'sweep', machine: 'statusLog', ids: ['9', '1'] },
    ]);
  });

  test('looks through the bucket once a day, when there is one', () => {
    const look = [{ kind: 'tidy-bucket', machine: 'bucket' }];
    expect(toSweep(kept({}), null)).toEqual([]);
    expect(toSweep(kept({}), { ...tidy, tidiedAgeMs: null })).toEqual(look);
    expect(toSweep(kept({}), { ...tidy, tidiedAgeMs: DAY - 1 })).toEqual([]);
    expect(toSweep(kept({}), { ...tidy, tidiedAgeMs: DAY })).toEqual(look);
  });

  test('removes from the bucket what nobody reads, but not what may just be written', () => {
    const objects = [
      { name: 'addresses.json', ageMs: 9 * DAY },
      { name: 'addresses.json.123', ageMs: 2 * DAY },
      { name: 'addresses.json.lock', ageMs: 3 * DAY },
      { name: 'addresses.json.456', ageMs: MINUTE },
      { name: 'agent/quorate-0.1.0.tar.gz', ageMs: 9 * DAY },
    ];
    expect(spentObjects(objects, ['addresses.json', 'agent/'])).toEqual(['addresses.json.lock', 'addresses.json.123']);
  });
});
