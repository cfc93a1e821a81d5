import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { Connections } from './connections.js';

test('sockets are counted until they close, agents once each', () => {
  const connections = new Connections();
  const sockets = [null, null, '0', '0', '1'].map((machine) => {
    const socket = new EventEmitter();
    connections.add(socket as never, machine);
    return socket;
  });
  expect(connections.count()).toEqual({ watchers: 2, agentSockets: 3, agents: 2 });
  sockets[0]?.emit('close');
  sockets[2]?.emit('close');
  expect(connections.count()).toEqual({ watchers: 1, agentSockets: 2, agents: 2 });
  sockets[3]?.emit('close');
  sockets[4]?.emit('close');
  expect(connections.count()).toEqual({ watchers: 1, agentSockets: 0, agents: 0 });
});
