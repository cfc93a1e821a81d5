import { expect, test } from 'vitest';
import { EVERYWHERE, parseCidrs } from './cidrs.js';

test('none named is everywhere; each is kept once', () => {
  expect(parseCidrs([])).toEqual(EVERYWHERE);
  expect(parseCidrs(['10.0.0.0/8,192.168.1.0/24', '10.0.0.0/8', '2001:DB8::/32'])).toEqual([
    '10.0.0.0/8',
    '192.168.1.0/24',
    '2001:db8::/32',
  ]);
  expect(parseCidrs(['0.0.0.0/0', '192.0.2.7/32'])).toEqual(['0.0.0.0/0', '192.0.2.7/32']);
});

test.each([
  ['10.0.0.0/33', /more than 32/, /10\.0\.0\.0\/8/],
  ['::/129', /more than 128/, /10/],
  ['10.1.2.3/8', /in the middle of a network/, /10\.0\.0\.0\/8 meant, or 10\.1\.2\.3\/32/],
  ['10.1.2.3', /is no network/, /^Say 10\.1\.2\.3\/32\.$/],
  ['::1', /is no network/, /^Say ::1\/128\.$/],
  ['300.0.0.0/8', /is no network/, /^Say networks/],
  ['everybody', /'everybody' is no network/, /^Say networks/],
  [',', /No network is named/, /^Say networks/],
])('%s is refused', (typed, message, todo) => {
  expect(() => parseCidrs([typed])).toThrow(
    expect.objectContaining({
      code: 'bad-cidr',
      exit: 2,
      message: expect.stringMatching(message),
      todo: expect.stringMatching(todo),
    }),
  );
});
