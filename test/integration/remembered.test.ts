import { type Collection, ReadConcern, ReadPreference } from 'mongodb';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Remembered } from '../../src/state/remembered.js';
import { openState, type State } from '../../src/state/state.js';
import { TestMembers } from '../support/members.js';

/** Documents that are read again only when they have changed, in a real mongod. */
interface Thing {
  readonly _id: string;
  readonly version: number;
  readonly at: Date;
  readonly kind: string;
}

const FROM = { readPreference: ReadPreference.primary, readConcern: new ReadConcern('majority') };
const date = (n: number) => new Date(1_700_000_000_000 + n);
const thing = (n: number, version = 1): Thing => ({ _id: String(n), version, at: date(0), kind: 'thing' });

let set: TestMembers;
let state: State;
let things: Collection<Thing>;
let remembered: Remembered<Thing>;
let anotherPrimary: () => void = () => {};
/** What is asked for beside the stamps. */
let asked: unknown[] = [];

beforeAll(async () => {
  set = await TestMembers.start(1);
  await set.initiate();
  state = await openState({ hosts: set.hosts, tls: set.state });
  things = state.db.collection<Thing>('things');
  await things.insertMany(Array.from({ length: 20 }, (_, n) => thing(n)));
  await things.insertOne({ ...thing(99), kind: 'other' });
  const onPrimary = (listener: (host: string) => void) => {
    anotherPrimary = () => listener('another');
    return () => undefined;
  };
  remembered = new Remembered({ onPrimary }, things, ['version', 'at'], { kind: 'thing' });
  const find = things.find.bind(things);
  vi.spyOn(things, 'find').mockImplementation((filter, options) => {
    if (options?.projection === undefined) asked.push(filter);
    return find(filter ?? {}, options);
  });
}, 60_000);

afterAll(async () => {
  await state?.close();
  await set?.[Symbol.asyncDispose]();
});

async function read(): Promise<{ now: Thing[]; asked: unknown[] }> {
  asked = [];
  const now = await remembered.read(FROM);
  return { now: now.sort((a, b) => Number(a._id) - Number(b._id)), asked };
}

const inDatabase = async () => await state.db.collection<Thing>('things').find({ kind: 'thing' }).toArray();

test('the first time all are read, then none', async () => {
  expect(await read()).toEqual({ now: await inDatabase(), asked: [{ kind: 'thing' }] });
  expect(await read()).toEqual({ now: await inDatabase(), asked: [] });
});

test('what has changed is read by name: by either stamp, what is new, not what is gone', async () => {
  await things.replaceOne({ _id: '3' }, { ...thing(3, 2), kind: 'thing' });
  await things.updateOne({ _id: '4' }, { $set: { at: date(1) } });
  await things.insertOne(thing(20));
  await things.deleteOne({ _id: '0' });
  const { now, asked } = await read();
  expect(now.map(({ _id }) => _id)).toEqual([...Array(20).keys()].map((n) => String(n + 1)));
  expect(now).toEqual((await inDatabase()).sort((a, b) => Number(a._id) - Number(b._id)));
  expect(asked).toEqual([{ _id: { $in: ['3', '4', '20'] } }]);
});

test('one that was removed and made anew is read again; of many that changed all are', async () => {
  await things.deleteOne({ _id: '5' });
  await read();
  await things.insertOne({ ...thing(5), kind: 'thing' });
  expect((await read()).asked).toEqual([{ _id: { $in: ['5'] } }]);
  await things.updateMany({ kind: 'thing' }, { $inc: { version: 1 } });
  expect(await read()).toMatchObject({ asked: [{ kind: 'thing' }] });
  expect((await read()).now.every(({ version }) => version > 1)).toBe(true);
});

test('another primary is asked for everything: the same version may say something else there', async () => {
  await things.updateOne({ _id: '7' }, { $set: { kind: 'thing' } });
  anotherPrimary();
  expect((await read()).asked).toEqual([{ kind: 'thing' }]);
});

test('readers at the same time get what is there', async () => {
  anotherPrimary();
  const readings = await Promise.all(Array.from({ length: 5 }, () => remembered.read(FROM)));
  for (const one of readings) expect(one).toHaveLength(20);
});
