import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serverName } from '../../src/pki/certificate.js';
import { call, type Target } from '../support/calls.js';
import { TestControllers } from '../support/controllers.js';
import { until } from '../support/home.js';
import type { TestMembers } from '../support/members.js';

/** Who sends too little, too slowly, or far too much: others are answered meanwhile, and none of it stays. */
let set: TestMembers;
let controllers: TestControllers;
let host: string;
let port: number;

beforeAll(async () => {
  controllers = await TestControllers.serving(1);
  ({ set } = controllers);
  ({ host, port } = controllers.endpoint());
});

afterAll(() => controllers?.[Symbol.asyncDispose]());

const target = (): Target => controllers.target();

async function secure(): Promise<TLSSocket> {
  const socket = connect({ host, port, ca: controllers.ca, servername: serverName(set.environment) });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

function residentMiB(): number {
  const { pid } = controllers.process('0');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** Longest wait of somebody who asks for the status as long as something goes on, milliseconds. */
async function slowestDuring(going: Promise<unknown>): Promise<number> {
  let over = false;
  let slowest = 0;
  const end = going.finally(() => {
    over = true;
  });
  // Told below, where it is waited for.
  end.catch(() => undefined);
  while (!over) {
    const began = performance.now();
    expect((await call(target(), 'GET', '/v1/status')).status).toBe(200);
    slowest = Math.max(slowest, performance.now() - began);
    await sleep(50);
  }
  await end;
  return Math.round(slowest);
}

describe('half of something', () => {
  const UPGRADE =
    'GET /v1/agent HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n' +
    'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
  const HEAD = 'POST /v1/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n';

  /** Opens a connection and does half of something on it; `more` goes on with that, slowly. */
  const KINDS: readonly [what: string, count: number, open: () => Promise<Socket>, more: string][] = [
    ['of a connection: no TLS', 300, async () => connectTcp({ host, port }), ''],
    ['of a handshake', 300, async () => connectTcp({ host, port }), '\x16'],
    ['of a request: nothing at all', 200, secure, ''],
    ['of a head', 200, begun(HEAD), 'x'],
    ['of a body', 200, begun(`${HEAD}\r\n{`), ' '],
    ['of an end: a WebSocket that was refused, and stays', 200, begun(UPGRADE), ''],
  ];

  function begun(text: string): () => Promise<Socket> {
    return async () => {
      const socket = await secure();
      socket.write(text);
      return socket;
    };
  }

  test.each(KINDS)('%s, %i times: ended in its time, others are answered meanwhile', async (_, count, open, more) => {
    const sockets: Socket[] = [];
    let closed = 0;
    const ended = (async () => {
      for (let n = 0; n < count; n += 1) {
        const socket = await open();
        socket.on('error', () => {});
        // What is answered is read, and the connection left as it is.
        socket.resume();
        socket.once('close', () => {
          closed += 1;
        });
        sockets.push(socket);
      }
      await until(
        'all of them to be ended from the other side',
        async () => {
          for (const socket of sockets) if (more !== '' && socket.writable) socket.write(more);
          return closed === count;
        },
        30,
        500,
      );
    })();
    try {
      expect(await slowestDuring(ended)).toBeLessThan(3000);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
});

describe('a body of a million lines', () => {
  const LINE = `${'x'.repeat(60)}\n`;
  const LINES = 1_000_000;

  /** Sends it as fast as it is taken. @returns the answer, and how much of it was taken by then */
  async function send(chunked: boolean): Promise<{ answer: string; sent: number }> {
    const socket = await secure();
    const length = chunked ? 'transfer-encoding: chunked' : `content-length: ${LINE.length * LINES}`;
    let answer = '';
    socket.setEncoding('utf8').on('data', (text) => {
      answer += text;
    });
    socket.write(`POST /v1/enrol HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${length}\r\n\r\n`);
    const piece = LINE.repeat(1000);
    const framed = chunked ? `${piece.length.toString(16)}\r\n${piece}\r\n` : piece;
    let sent = 0;
    for (; sent < LINES && socket.writable && answer === ''; sent += 1000) {
      await new Promise((resolve) => socket.write(framed, resolve));
    }
    await until('the end of the connection', async () => socket.destroyed, 20);
    return { answer, sent };
  }

  test.each([true, false])('is refused early, in words, and kept nowhere (in chunks: %s)', async (chunked) => {
    // The first ones make what the server keeps for good.
    await Promise.all(Array.from({ length: 5 }, () => send(chunked)));
    const before = residentMiB();
    const sending = Promise.all(Array.from({ length: 20 }, () => send(chunked)));
    expect(await slowestDuring(sending)).toBeLessThan(5000);
    for (const { answer, sent } of await sending) {
      const [head, body = ''] = answer.split('\r\n\r\n');
      expect(head).toMatch(/^HTTP\/1\.1 413 /);
      expect(JSON.parse(body)).toMatchObject({ code: 'too-large' });
      expect(sent).toBeLessThan(LINES / 10);
    }
    // Together they were 1.2 GB.
    expect(residentMiB() - before).toBeLessThan(48);
  });
});
