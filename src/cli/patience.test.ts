import { expect, test } from 'vitest';
import { QuorateError } from '../errors.js';
import { Patience, patiently } from './patience.js';

const MINUTE = 60_000;

test('what stands still is given up after a minute', () => {
  const patience = new Patience(1000);
  expect(patience.endsAt(1000, 'booting')).toBe(false);
  expect(patience.endsAt(1000 + MINUTE, 'booting')).toBe(false);
  expect(patience.endsAt(1001 + MINUTE, 'booting')).toBe(true);
  expect(patience.waited(1000 + MINUTE)).toBe(60);
});

test('what moves is waited for, but not for ever', () => {
  const patience = new Patience(0);
  for (let minute = 0; minute <= 5; minute++) expect(patience.endsAt(minute * MINUTE, `step ${minute}`)).toBe(false);
  expect(patience.endsAt(5 * MINUTE + 1, 'step 6')).toBe(true);
});

test('a look that nobody answers saw nothing yet; any other failure is one at once', async () => {
  const answers = [new QuorateError('timed-out', 'busy'), new QuorateError('no-controller', 'gone'), 'there'];
  const look = async () => {
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const wait = () =>
    patiently(
      look,
      (value) => value === 'there',
      String,
      () => new Error('late'),
    );
  expect(await wait()).toBe('there');
  answers.push(new QuorateError('forbidden', 'no'), 'there');
  await expect(wait()).rejects.toMatchObject({ code: 'forbidden' });
});
