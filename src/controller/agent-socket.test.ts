import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { REPORT } from '../../test/support/report.js';
import type { StateEvent } from '../state/follow.js';
import type { State } from '../state/state.js';
import { type AgentContext, serveAgent } from './agent-socket.js';
import { Directory } from './directory.js';
import type { Feed } from './feed.js';
import { RollCall } from './roll-call.js';

/** A socket of an agent of machine 7; what it is told is kept. */
class AgentSide extends EventEmitter {
  readonly OPEN = 1;
  readonly readyState = 1;
  readonly bufferedAmount = 0;
  readonly told: { type: string; settings?: unknown; version?: number }[] = [];
  send(text: string): void {
    this.told.push(JSON.parse(text));
  }
  close(): void {}
  ping(): void {}
  terminate(): void {}
}

const MACHINE = { _id: '7', version: 1, life: 'alive', jobs: [], memberId: null, agentVersion: '1' };

test('a change made while the feed of a server that has just begun is not there yet is not missed', async () => {
  let value: string | null = null;
  let begin: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const findOne = (document: () => unknown) => ({ findOne: async () => document() });
  const state = {
    primary: () => null,
    environment: findOne(() => ({ url: '' })),
    machines: { find: () => ({ toArray: async () => [MACHINE] }) },
    addresses: findOne(() => null),
    settings: findOne(() => (value === null ? null : { value })),
  } as unknown as State;
  // It has no event of what changed before it began.
  const feed = { ready, subscribe: () => () => undefined } as unknown as Feed;
  const context = {
    state,
    directory: new Directory(state, feed),
    rollCall: new RollCall(() => 0),
    presence: { add: () => undefined, drop: () => undefined },
    operations: { attach: () => ({ hear: () => undefined, leave: () => undefined }) },
  } as unknown as AgentContext;
  const socket = new AgentSide();
  serveAgent(socket as unknown as WebSocket, context, '7');
  socket.emit('message', JSON.stringify({ type: 'hello', session: 's', version: '1' }));
  await new Promise(setImmediate);
  value = '900ms';
  begin();
  await expect
    .poll(() => socket.told)
    .toMatchObject([
      { type: 'machine', settings: { suspectAfterMs: 900 } },
      { type: 'pace', beatMs: 500 },
      { type: 'status-log', upTo: 0 },
    ]);
  socket.emit('close');
});

test('each beat is written once: a change of its machine does not make a silent agent heard again', async () => {
  let machine = { ...MACHINE, jobs: ['manage-environ', 'manage-state'] };
  let tell: (event: StateEvent) => void = () => undefined;
  const findOne = (document: unknown) => ({ findOne: async () => document });
  const state = {
    primary: () => null,
    environment: findOne({ url: '' }),
    machines: { find: () => ({ toArray: async () => [machine] }) },
    addresses: findOne(null),
    settings: findOne(null),
  } as unknown as State;
  const subscribe = ({ onEvent }: { onEvent: typeof tell }) => {
    tell = onEvent;
    return () => undefined;
  };
  const written: number[] = [];
  const context = {
    state,
    directory: new Directory(state, { ready: Promise.resolve(), subscribe } as unknown as Feed),
    rollCall: new RollCall(() => 0),
    presence: { add: (_: unknown, __: unknown, ack: () => void) => written.push(written.length) && ack() },
    operations: { attach: () => ({ hear: () => undefined, leave: () => undefined }) },
  } as unknown as AgentContext;
  const socket = new AgentSide();
  serveAgent(socket as unknown as WebSocket, context, '7');
  const beat = (seq: number) => socket.emit('message', JSON.stringify({ type: 'presence', seq, report: REPORT }));
  const versions = () => socket.told.flatMap(({ type, version }) => (type === 'machine' ? [version] : []));
  socket.emit('message', JSON.stringify({ type: 'hello', session: 's', version: '1' }));
  // Before its machine is known: it waits, and is written then.
  beat(1);
  await expect.poll(versions).toEqual([1]);
  expect(written).toHaveLength(1);
  beat(2);
  expect(written).toHaveLength(2);

  machine = { ...machine, version: 2, life: 'dying' };
  tell({ kind: 'machines', id: '7', token: '', document: machine });
  expect(versions()).toEqual([1, 2]);
  expect(written).toHaveLength(2);
  beat(3);
  expect(written).toHaveLength(3);
  socket.emit('close');
});
