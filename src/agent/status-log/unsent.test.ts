import { describe, expect, test } from 'vitest';
import { ENTRIES_AT_ONCE } from '../../api/status-log.js';
import {
  acknowledge,
  add,
  entryLine,
  type KeptEntry,
  NOTHING,
  nextOf,
  parseUnsent,
  takenLine,
  textOf,
  type Unsent,
} from './unsent.js';

const said = (message: string) => ({ what: 'api', status: 'running', message });
const filled = (count: number, from: Unsent = NOTHING, now = (n: number) => 1000 + n): Unsent =>
  Array.from({ length: count }, (_, n) => n).reduce((unsent, n) => add(unsent, said(`${n}`), now(n)), from);
const numbers = ({ entries }: { entries: readonly KeptEntry[] }) => entries.map(({ number }) => number);

describe('numbers', () => {
  test('rise, whatever the clock does', () => {
    const times = [5000, 5000, 4000, 9000, 10];
    expect(numbers(filled(5, NOTHING, (n) => times[n] as number))).toEqual([5000, 5001, 5002, 9000, 9001]);
  });

  test('of what was taken are never given again, also after the file was read anew', () => {
    const all = filled(3);
    const none = acknowledge(all, all.last);
    expect(numbers(none)).toEqual([]);
    expect(numbers(add(parseUnsent(textOf(none)), said('x'), 0))).toEqual([all.last + 1]);
  });

  test('begin above those of a disk that is lost', () => {
    expect(numbers(filled(1, NOTHING, () => 7000))[0]).toBeGreaterThan(filled(3, NOTHING, (n) => 5000 + n).last);
  });
});

describe('what is sent', () => {
  test('is the oldest, as many as go at once, and what is not acknowledged again', () => {
    const all = filled(ENTRIES_AT_ONCE + 7);
    const first = nextOf(all);
    expect(first.map(({ message }) => message)).toEqual(Array.from({ length: ENTRIES_AT_ONCE }, (_, n) => `${n}`));
    expect(nextOf(all)).toEqual(first);
    const rest = acknowledge(all, first.at(-1)?.number ?? 0);
    expect(nextOf(rest).map(({ message }) => Number(message))).toEqual([50, 51, 52, 53, 54, 55, 56]);
  });

  test('fits into a message', () => {
    expect(add(NOTHING, said('x'.repeat(9000)), 1).entries[0]?.message).toHaveLength(500);
  });
});

describe('too many', () => {
  test('cost the oldest, and an entry says how many', () => {
    const many = filled(301);
    expect(many.entries).toHaveLength(251);
    expect(many.entries[0]?.message).toBe('51');
    expect(many.entries.at(-1)).toMatchObject({
      what: 'status-log',
      status: 'cut',
      message: '51 older entries were left out: no controller could be told of them for so long.',
    });
    expect(numbers(many)).toEqual([...numbers(many)].sort((a, b) => a - b));
  });

  test('for so long that the entry that said it goes too are counted by the next', () => {
    const entries = filled(2000).entries;
    const told = entries.filter(({ what }) => what === 'status-log');
    const kept = entries.length - told.length;
    expect(kept + (told.reduce((sum, { leftOut = 0 }) => sum + leftOut, 0) as number)).toBe(2000);
    expect(entries.length).toBeLessThanOrEqual(300);
    expect(nextOf({ entries: told, last: 0 })[0]).not.toHaveProperty('leftOut');
  });
});

describe('the file', () => {
  const all = filled(4);
  const lines = all.entries.map(entryLine);

  test('holds what was said and not taken', () => {
    expect(parseUnsent('')).toEqual({ ...NOTHING, lines: 0, whole: true });
    expect(parseUnsent(lines.join(''))).toEqual({ ...all, lines: 4, whole: true });
    const taken = `${lines.join('')}${takenLine(all.entries[1]?.number ?? 0)}`;
    expect(parseUnsent(taken)).toMatchObject({ entries: all.entries.slice(2), last: all.last, whole: true });
    expect(parseUnsent(textOf(parseUnsent(taken)))).toMatchObject({ entries: all.entries.slice(2), last: all.last });
  });

  test('loses the line that a power cut has cut off, and no other', () => {
    const text = lines.join('');
    for (let length = 0; length < text.length; length += 1) {
      const whole = lines.filter((_, n) => lines.slice(0, n + 1).join('').length <= length);
      const read = parseUnsent(text.slice(0, length));
      expect(read.entries.map(entryLine), `${length}`).toEqual(whole);
      expect(read.whole).toBe(whole.join('').length === length);
    }
  });

  test.each([
    ['zeros', '\0\0\0\0'],
    ['half a line in front of another', '{"number":1,"at"'],
    ['another JSON', '[1]'],
    ['an entry without a word', '{"number":99999,"at":1,"what":"api","status":"","message":""}'],
  ])('with %s in its middle goes on behind it', (_, damage) => {
    const text = `${lines[0]}${damage}\n${lines.slice(2).join('')}`;
    expect(parseUnsent(text)).toMatchObject({ entries: [0, 2, 3].map((n) => all.entries[n]), whole: false });
  });

  test('that was written anew with an entry and had it written behind it has it once', () => {
    expect(parseUnsent(textOf(all) + lines[3])).toMatchObject({ entries: all.entries, last: all.last, whole: true });
  });
});
