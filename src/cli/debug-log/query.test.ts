import { expect, test } from 'vitest';
import { queryOf, wantedBy } from './query.js';

const given = { level: 'info', lines: '50', format: 'text' };

test('what is asked for', () => {
  expect(wantedBy({ ...given, machine: '0,2', level: 'warn', since: '10m', lines: '7' })).toEqual({
    machines: ['0', '2'],
    level: 'warn',
    seconds: 600,
    limit: 7,
  });
  expect(wantedBy(given)).toEqual({ machines: null, level: 'info', seconds: null, limit: 50 });
});

test.each([
  [{ machine: 'x' }, "'x' is no machine ID"],
  [{ machine: '0,,1' }, "'' is no machine ID"],
  [{ level: 'loud' }, "no level 'loud'"],
  [{ since: 'soon' }, "'soon' is no duration"],
  [{ since: '-10m' }, 'yet to come'],
  [{ lines: '2001' }, "'2001' is no number of lines"],
  [{ lines: '-1' }, "'-1' is no number of lines"],
  [{ format: 'xml' }, "no format 'xml'"],
])('%j is refused', (more, sentence) => {
  expect(() => wantedBy({ ...given, ...more })).toThrow(sentence);
});

test('the query says no more than what is asked for', () => {
  expect(queryOf({ level: 'warn', seconds: null, limit: 5 })).toBe('/v1/log?level=warn&limit=5');
  expect(queryOf({ level: 'info', seconds: 1.5, limit: 5, after: 'a.b-c.d' })).toBe(
    '/v1/log?level=info&limit=5&seconds=1.5&after=a.b-c.d',
  );
});
