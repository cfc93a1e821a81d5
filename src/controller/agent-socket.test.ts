import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import type { WebSocket } from 'ws';
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
  readonly told: { type: string; settings?: unknown }[] = [];
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
    ]);
  socket.emit('close');
});
