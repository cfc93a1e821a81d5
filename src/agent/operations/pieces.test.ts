import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LARGEST_CHUNK, type OutputStream } from '../../state/operation-documents.js';
import { lingerMs, type Piece, Pieces } from './pieces.js';

const bytesOf = (pieces: readonly Piece[], stream: OutputStream) =>
  Buffer.concat(pieces.filter((piece) => piece.stream === stream).map(({ data }) => data));

test('however it is written, each stream comes out as it went in, in pieces that are not too large', () => {
  const write = fc.record({
    stream: fc.constantFrom<OutputStream>('stdout', 'stderr'),
    size: fc.integer({ min: 0, max: 3 * LARGEST_CHUNK }),
    flush: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(write, { maxLength: 20 }), (writes) => {
      const pieces = new Pieces(Number.MAX_SAFE_INTEGER);
      const out: Piece[] = [];
      const went: Record<OutputStream, Buffer[]> = { stdout: [], stderr: [] };
      writes.forEach(({ stream, size, flush }, index) => {
        const data = Buffer.alloc(size, index + 1);
        went[stream].push(data);
        out.push(...pieces.add(stream, data));
        if (flush) out.push(...pieces.flush());
      });
      out.push(...pieces.flush());
      expect(pieces.waiting).toBe(false);
      for (const { data } of out) {
        expect(data.length).toBeGreaterThan(0);
        expect(data.length).toBeLessThanOrEqual(LARGEST_CHUNK);
      }
      for (const stream of ['stdout', 'stderr'] as const) {
        expect(bytesOf(out, stream).equals(Buffer.concat(went[stream]))).toBe(true);
        expect(pieces.written[stream]).toBe(Buffer.concat(went[stream]).length);
      }
    }),
    { numRuns: 50 },
  );
});

test('what comes after the limit is counted and dropped', () => {
  const pieces = new Pieces(10);
  pieces.add('stdout', Buffer.from('12345678'));
  pieces.add('stderr', Buffer.from('abcdef'));
  pieces.add('stdout', Buffer.from('9'));
  expect(pieces.flush().map(({ stream, data }) => `${stream} ${data}`)).toEqual(['stdout 12345678', 'stderr ab']);
  expect(pieces.written).toEqual({ stdout: 9, stderr: 6 });
});

test('after it was stopped nothing is kept', () => {
  const pieces = new Pieces(10);
  pieces.add('stdout', Buffer.from('12'));
  pieces.stop();
  expect([...pieces.add('stdout', Buffer.from('3')), ...pieces.flush()]).toEqual([]);
  expect(pieces.written.stdout).toBe(3);
});

test('a command that writes all day long makes fewer and fewer pieces', () => {
  const day = 24 * 3600 * 1000;
  let pieces = 0;
  for (let now = 0; now < day; now += lingerMs(pieces)) pieces += 1;
  expect(lingerMs(0)).toBeLessThanOrEqual(20);
  expect(pieces).toBeLessThan(100_000);
});
