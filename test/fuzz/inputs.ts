import type { Random } from '../campaign/random.js';

/** Values that no route is asked with on purpose: each has broken somebody's parser, query or path before. */
const HOSTILE: readonly unknown[] = [
  ...[null, true, false, 0, -1, 0.5, 2 ** 31, 2 ** 53, 1e308, -1e308],
  ...['', ' ', '\u0000', '\ud800', '\ufeff', '\u202e', '%', '%00', '..', '../../etc/passwd', '..%2f..%2f', '\r\nx: y'],
  ...['$where', '$gt', '__proto__', 'constructor', 'NaN', '1e999', '0x10', '-0', '9'.repeat(400), 'x'.repeat(9000)],
  ...[[], {}, [[]], [null], { $gt: '' }, { $where: 'sleep(1)' }, { 'a.b': 1 }, { constructor: { prototype: 1 } }],
  // The parser makes an own property of it, which an object literal would not have.
  JSON.parse('{"__proto__": {"admin": true}}'),
];

/** Bytes that mean something where they should not be. */
const TOKENS: readonly string[] = [
  ...['\r\n', '\n', '\r', '\0', '\r\n\r\n', ' ', '\t', ':', '%', '%00', '%2e%2e%2f', '%ff', '..', '/', '?', '#', '\\'],
  ...['Content-Length: 0\r\n', 'Content-Length: -1\r\n', 'Content-Length: 99999999999\r\n', 'Host: other\r\n'],
  ...['Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n', 'ffffffff\r\n'],
  ...['Expect: 100-continue\r\n', 'Upgrade: websocket\r\nConnection: Upgrade\r\n', 'Connection: close\r\n'],
  ...['Authorization: Bearer x\r\n', 'Idempotency-Key: k\r\n', 'Content-Type: text/plain\r\n', 'HTTP/1.0', 'HTTP/9.9'],
  ...['GET ', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'CONNECT x:1 HTTP/1.1\r\n\r\n', `X-Long: ${'y'.repeat(20_000)}\r\n`],
];

const DEEP = 20_000;

/** One of the array, each as likely. */
export function oneOf<T>(random: Random, choices: readonly T[]): T {
  const chosen = choices[Math.floor(random.next() * choices.length)];
  if (chosen === undefined && choices.length === 0) throw new Error('nothing to pick from');
  return chosen as T;
}

/** So many bytes of chance. */
export function bytesOf(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => Math.floor(random.next() * 256)));
}

/** The text of a JSON value with one part of it, or all of it, replaced, removed or added to. */
export function spoiled(random: Random, value: unknown): string {
  if (random.chance(0.02)) return '['.repeat(DEEP) + (random.chance(0.5) ? ']'.repeat(DEEP) : '');
  if (random.chance(0.1)) return JSON.stringify(oneOf(random, HOSTILE));
  return JSON.stringify(within(random, value));
}

function within(random: Random, value: unknown): unknown {
  if (Array.isArray(value) && value.length > 0 && random.chance(0.7)) {
    const at = Math.floor(random.next() * value.length);
    if (random.chance(0.1)) return Array.from({ length: 2000 }, () => value[at]);
    return value.map((item, n) => (n === at ? within(random, item) : item));
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && random.chance(0.9)) {
    const entries = Object.entries(value);
    const at = Math.floor(random.next() * (entries.length + 1));
    if (at === entries.length) return { ...value, [String(oneOf(random, HOSTILE))]: oneOf(random, HOSTILE) };
    if (random.chance(0.2)) return Object.fromEntries(entries.filter((_, n) => n !== at));
    return Object.fromEntries(entries.map(([key, item], n) => [key, n === at ? within(random, item) : item]));
  }
  return oneOf(random, HOSTILE);
}

/** The bytes with one to four of: bits flipped, parts removed, repeated or swapped for chance, tokens put in. */
export function mangled(random: Random, bytes: Buffer): Buffer {
  let left = bytes;
  for (let times = Math.floor(random.between(1, 5)); times > 0; times -= 1) left = mangledOnce(random, left);
  return left;
}

function mangledOnce(random: Random, bytes: Buffer): Buffer {
  const from = Math.floor(random.next() * (bytes.length + 1));
  const to = Math.min(bytes.length, from + Math.floor(random.between(1, 40)));
  const [before, middle, after] = [bytes.subarray(0, from), bytes.subarray(from, to), bytes.subarray(to)];
  const put = random.pick<Buffer>([
    [3, Buffer.from(middle.map((byte) => byte ^ (1 << Math.floor(random.next() * 8))))],
    [2, Buffer.alloc(0)],
    [1, Buffer.concat([middle, middle])],
    [2, bytesOf(random, middle.length)],
    [4, Buffer.concat([Buffer.from(oneOf(random, TOKENS), 'latin1'), middle])],
  ]);
  return Buffer.concat([before, put, after]);
}
