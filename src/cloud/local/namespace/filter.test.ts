import { expect, test } from 'vitest';
import { type Drop, filterFor } from './filter.js';
import { numberOf } from './subnet.js';

/** Runs a filter on a frame, as the kernel would; only the instructions that we use. */
function verdict(bytecode: string | null, type: number, source: string, destination: string): 'passes' | 'dropped' {
  if (bytecode === null) return 'passes';
  const frame = Buffer.alloc(64);
  frame.writeUInt16BE(type, 12);
  frame.writeUInt32BE(numberOf(source), 26);
  frame.writeUInt32BE(numberOf(destination), 30);
  const [length, ...code] = bytecode.split(',');
  expect(code).toHaveLength(Number(length));
  let accumulator = 0;
  for (let at = 0; ; at += 1) {
    const [operation, jumpTrue = 0, jumpFalse = 0, k = 0] = (code[at] ?? '').split(' ').map(Number);
    if (operation === 0x28) accumulator = frame.readUInt16BE(k);
    else if (operation === 0x20) accumulator = frame.readUInt32BE(k);
    else if (operation === 0x15) at += accumulator === k ? jumpTrue : jumpFalse;
    else if (operation === 0x06) return k === 2 ? 'dropped' : 'passes';
    else throw new Error(`no such instruction: ${code[at]}`);
  }
}

const me = '10.1.0.2';
const [a, b, c] = ['10.1.0.3', '10.1.0.4', '10.255.255.254'];
const sent = (drops: Drop[], to: string, type = 0x0800) => verdict(filterFor(drops, 'out'), type, me, to);
const heard = (drops: Drop[], from: string, type = 0x0800) => verdict(filterFor(drops, 'in'), type, from, me);

test('nothing to drop is no filter', () => {
  expect(filterFor([], 'in')).toBeNull();
  expect(filterFor([{ address: a, direction: 'in' }], 'out')).toBeNull();
});

test('each way drops its own addresses alone', () => {
  const drops: Drop[] = [
    { address: a, direction: 'in' },
    { address: b, direction: 'both' },
    { address: c, direction: 'out' },
  ];
  expect([a, b, c].map((peer) => heard(drops, peer))).toEqual(['dropped', 'dropped', 'passes']);
  expect([a, b, c].map((peer) => sent(drops, peer))).toEqual(['passes', 'dropped', 'dropped']);
});

test('cut off from everybody, only ARP passes', () => {
  const drops: Drop[] = [
    { address: '*', direction: 'both' },
    { address: a, direction: 'in' },
  ];
  for (const way of [sent, heard]) {
    expect(way(drops, b)).toBe('dropped');
    expect(way(drops, b, 0x86dd)).toBe('dropped');
    expect(way(drops, b, 0x0806)).toBe('passes');
  }
});

test('a thousand addresses fit', () => {
  const drops = Array.from(
    { length: 1000 },
    (_, i): Drop => ({ address: `10.2.${i >> 8}.${i & 255}`, direction: 'in' }),
  );
  expect(heard(drops, '10.2.3.231')).toBe('dropped');
  expect(heard(drops, '10.2.3.232')).toBe('passes');
});
