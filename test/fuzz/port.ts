import { connect as connectTcp, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect, TLSSocket } from 'node:tls';
import type { Random } from '../campaign/random.js';
import type { Login } from './ground.js';
import { bytesOf, mangled, oneOf, spoiled } from './inputs.js';
import { requestBytes } from './requests.js';

/** Where the bytes go, and as whom. */
export interface Port {
  readonly host: string;
  readonly port: number;
  readonly servername: string;
  readonly logins: readonly Login[];
}

/** Sends a few inputs on one connection of its own. @returns how many; how the other side takes them is seen elsewhere. */
type Kind = (port: Port, random: Random) => Promise<number>;

/** Connections are ended from here, unless the other side was quicker. */
const PATIENCE_MS = 400;
/** What is answered is waited for, or the server would have ever more of it to do at once. */
const ANSWERS_MS = 5000;
const HANDSHAKE_MS = 5000;
/** Of a handshake, the client's part is shorter. */
const LONGEST_HANDSHAKE = 2600;
const REQUESTS = 12;
const MESSAGES = 25;

/** Every way in which bytes are sent, by weight. */
export const KINDS: readonly (readonly [weight: number, name: string, kind: Kind])[] = [
  [2, 'bytes that are no TLS', noTls],
  [3, 'a handshake cut or spoiled in the middle', brokenHandshake],
  [1, 'bytes beside TLS after its handshake', besideTls],
  [12, 'HTTP, good and spoiled', http],
  [4, 'messages and frames of an agent', frames],
];

async function noTls({ host, port }: Port, random: Random): Promise<number> {
  const socket = connectTcp({ host, port });
  const length = Math.floor(random.between(0, 4000));
  const begins = [[], [0x16, 3, 1], [0x16, 3, 3, 0xff, 0xff], [0x80, 0x2e, 1], [0x17, 3, 3]];
  socket.write(
    random.chance(0.2)
      ? 'GET /v1/ping HTTP/1.1\r\nHost: x\r\n\r\n'
      : Buffer.concat([Buffer.from(oneOf(random, begins)), bytesOf(random, length)]),
  );
  await left(socket, random);
  return 1;
}

/** The client's half of a real handshake goes through whole up to a byte; there it ends, or goes on spoiled. */
async function brokenHandshake(port: Port, random: Random): Promise<number> {
  const raw = connectTcp({ host: port.host, port: port.port });
  let passes = Math.floor(random.next() * LONGEST_HANDSHAKE);
  const goesOn = random.chance(0.7);
  const through = (chunk: Buffer) => {
    const whole = chunk.subarray(0, passes);
    const rest = chunk.subarray(whole.length);
    passes -= whole.length;
    raw.write(whole);
    if (rest.length > 0 && goesOn) raw.write(mangled(random, rest));
    else if (rest.length > 0) raw.end();
  };
  const tls = connect({ ...options(port, random), socket: between(raw, through) });
  tls.on('error', () => {});
  tls.once('secureConnect', () => tls.write(requestBytes(random, { host: port.host })));
  await left(raw, random);
  tls.destroy();
  return 1;
}

async function besideTls(port: Port, random: Random): Promise<number> {
  const raw = connectTcp({ host: port.host, port: port.port });
  const tls = connect({ ...options(port, random), socket: between(raw, (chunk) => raw.write(chunk)) });
  if (await secured(tls)) raw.write(bytesOf(random, Math.floor(random.between(1, 3000))));
  await left(raw, random);
  tls.destroy();
  return 1;
}

async function http(port: Port, random: Random): Promise<number> {
  const login = oneOf(random, port.logins);
  const tls = connect(options(port, random, login));
  if (!(await secured(tls))) return 1;
  const sender = { host: `${port.host}:${port.port}`, ...(login.token === undefined ? {} : { token: login.token }) };
  let sent = 0;
  for (let more = REQUESTS; more > 0 && tls.writable; more -= 1, sent += 1) {
    const request = requestBytes(random, sender);
    const spoil = random.chance(0.15);
    tls.write(spoil ? mangled(random, request) : request);
    // After one that cannot be read little is, but what comes next must not be taken for its rest.
    if (spoil) more = Math.min(more, 2);
    // Some one by one, some all in one go.
    if (random.chance(0.5)) await new Promise((resolve) => setImmediate(resolve));
  }
  await left(tls, random, ANSWERS_MS);
  return sent;
}

const MESSAGE = [
  { type: 'hello', session: 's', version: '0.1.0' },
  {
    type: 'presence',
    seq: 1,
    report: {
      ...{
        status: 'started',
        services: { api: { state: 'running', message: '', pid: 1, restarts: 0 } },
        addressVersion: 1,
      },
      ...{ sees: ['0'], mongod: { version: '6', parameters: { a: 'b' }, member: 0 } },
      ...{ succession: { stoodUp: 0, freed: 0, off: '' }, disk: { freeBytes: 1, totalBytes: 2 }, finished: false },
    },
  },
  { type: 'operation', id: 1, ref: 1, report: { kind: 'claim' } },
  { type: 'operation', id: 1, ref: 2, report: { kind: 'output', sequence: 0, stream: 'stdout', data: 'AAAA' } },
  {
    ...{ type: 'operation', id: 1, ref: 3 },
    report: {
      ...{ kind: 'end', state: 'done', exitCode: 0, signal: '', message: '', stdoutBytes: 0, stderrBytes: 0 },
    },
  },
];

async function frames(port: Port, random: Random): Promise<number> {
  const login = oneOf(random, port.logins);
  const tls = connect(options(port, random, login));
  if (!(await secured(tls))) return 1;
  const authorization = login.token === undefined ? '' : `Authorization: Bearer ${login.token}\r\n`;
  const path = random.chance(0.8) ? '/v1/agent' : '/v1/watch';
  tls.write(
    `GET ${path} HTTP/1.1\r\nHost: ${port.host}\r\n${authorization}Connection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  const hello = frame(random, Buffer.from(JSON.stringify(MESSAGE[0])));
  if (random.chance(0.9)) tls.write(hello);
  let sent = 1;
  for (; sent < MESSAGES && tls.writable; sent += 1) {
    const good = oneOf(random, MESSAGE);
    const text = random.chance(0.5) ? spoiled(random, good) : JSON.stringify(good);
    const framed = frame(random, random.chance(0.05) ? bytesOf(random, 300) : Buffer.from(text));
    tls.write(random.chance(0.03) ? mangled(random, framed) : framed);
    if (random.chance(0.5)) await new Promise((resolve) => setImmediate(resolve));
  }
  await left(tls, random, ANSWERS_MS);
  return sent;
}

/** One frame of a WebSocket client: of text, now and then of another kind. */
function frame(random: Random, payload: Buffer): Buffer {
  const opcode = random.pick([
    [90, 0x81],
    [2, 0x82],
    [1, 0x01],
    [1, 0x89],
    [1, 0x8a],
    [1, 0x88],
  ] as const);
  const mask = bytesOf(random, 4);
  const { length } = payload;
  const head =
    length < 126
      ? Buffer.from([opcode, 0x80 | length])
      : length < 65_536
        ? Buffer.from([opcode, 0x80 | 126, length >> 8, length & 255])
        : Buffer.concat([Buffer.from([opcode, 0x80 | 127]), lengthOf(length)]);
  return Buffer.concat([head, mask, payload.map((byte, n) => byte ^ (mask[n & 3] ?? 0))]);
}

function lengthOf(length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(length));
  return bytes;
}

function options({ host, port, servername, logins }: Port, random: Random, login: Login = oneOf(random, logins)) {
  const { ca, certificate: cert, key } = login.tls;
  return { host, port, servername, ca, cert, key, localAddress: addressOf(random) } as const;
}

/** Each connection comes from an address of its own: whoever fails too often is not heard from there for a while. */
function addressOf(random: Random): string {
  return `127.79.${Math.floor(random.next() * 256)}.${1 + Math.floor(random.next() * 254)}`;
}

/** What TLS writes goes where it is told, what comes from the socket goes to TLS. */
function between(raw: Socket, write: (chunk: Buffer) => void): Duplex {
  const duplex = new Duplex({
    read: () => {},
    write: (chunk, _, done) => {
      write(chunk);
      done();
    },
  });
  raw.on('data', (chunk) => duplex.push(chunk));
  raw.on('close', () => duplex.destroy());
  duplex.on('error', () => {});
  return duplex;
}

/** Whether the handshake came to its end. */
async function secured(tls: TLSSocket): Promise<boolean> {
  return await new Promise((resolve) => {
    const late = setTimeout(() => tls.destroy(), HANDSHAKE_MS);
    tls.on('error', () => {});
    tls.resume();
    tls.once('secureConnect', () => resolve(true));
    tls.once('close', () => {
      clearTimeout(late);
      resolve(false);
    });
    tls.once('secureConnect', () => clearTimeout(late));
  });
}

/** Ends a connection in one of the ways in which connections end, and waits until it has. */
async function left(socket: Socket, random: Random, patienceMs = PATIENCE_MS): Promise<void> {
  const way = random.next();
  await new Promise<void>((resolve) => {
    socket.on('error', () => {});
    socket.resume();
    if (socket.destroyed) return resolve();
    socket.once('close', () => resolve());
    if (way < 0.2) socket.destroy();
    else if (way < 0.25 && !(socket instanceof TLSSocket)) {
      socket.resetAndDestroy();
      // Of one that had ended already Node tells no end.
      resolve();
    } else {
      // In its time, with what was answered until then read.
      socket.end();
      const late = setTimeout(() => socket.destroy(), patienceMs);
      socket.once('close', () => clearTimeout(late));
    }
  });
}
