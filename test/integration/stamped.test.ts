import { type Collection, ReadConcern, ReadPreference } from 'mongodb';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { StampedDocuments } from '../../src/state/stamped.js';
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
let stamped: StampedDocuments<Thing>;
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
  stamped = new StampedDocuments({ onPrimary }, things, ['version', 'at'], { kind: 'thing' });
  const find = things.find.bind(things);
  vi.spyOn(things, 'find').mockImplementation((filter, options) => {
    if (options?.projection === undefined) asked.push(filter);
    const cursor = find(filter ?? {}, options);
    const held = holds.get(JSON.stringify(filter));
    if (held === undefined) return cursor;
    const toArray = cursor.toArray.bind(cursor);
    cursor.toArray = async () => {
      held.reached();
      await held.released;
      return await toArray();
    };
    return cursor;
  });
}, 60_000);

afterAll(async () => {
  await state?.close();
  await set?.[Symbol.asyncDispose]();
});

interface Hold {
  readonly reached: () => void;
  readonly released: Promise<void>;
}
const holds = new Map<string, Hold>();

/** Whoever asks for just this waits until it is let go. */
function hold(filter: object): { held: Promise<void>; release: () => void } {
  let [reached, release] = [() => {}, () => {}];
  const held = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  holds.set(JSON.stringify(filter), { reached, released });
  return { held, release };
}

async function read(): Promise<{ now: Thing[]; asked: unknown[] }> {
  asked = [];
  const now = await stamped.read(FROM);
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
  const readings = await Promise.all(Array.from({ length: 5 }, () => stamped.read(FROM)));
  for (const one of readings) expect(one).toHaveLength(20);
});

test('what one reader has not seen yet is not taken from another one', async () => {
  anotherPrimary();
  await read();
  // The slow one has seen what there is, and waits for what has changed.
  const slow = hold({ _id: { $in: ['9'] } });
  await things.updateOne({ _id: '9' }, { $inc: { version: 1 } });
  const late = stamped.read(FROM);
  await slow.held;
  await things.insertOne(thing(50));
  await read();
  const other = hold({ _id: { $in: ['8'] } });
  await things.updateOne({ _id: '8' }, { $inc: { version: 1 } });
  const reading = stamped.read(FROM);
  await other.held;
  slow.release();
  expect((await late).map(({ _id }) => _id)).not.toContain('50');
  other.release();
  expect((await reading).map(({ _id }) => _id)).toContain('50');
});
