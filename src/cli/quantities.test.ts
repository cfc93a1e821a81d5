import { expect, test } from 'vitest';
import { bytes, count, milliseconds, percent } from './quantities.js';

test('durations have a unit and may have a sign', () => {
  expect(['50ms', '2s', '1.5m', '+1h', '-1d'].map(milliseconds)).toEqual([50, 2000, 90_000, 3_600_000, -86_400_000]);
  for (const wrong of ['', '5', 'h', '5 s', '5y', '--1s']) expect(() => milliseconds(wrong)).toThrow(/no duration/);
});

test('percentages end at a hundred', () => {
  expect(['0', '2%', '0.5%', '100'].map(percent)).toEqual([0, 2, 0.5, 100]);
  for (const wrong of ['101%', '-1', '%', 'all']) expect(() => percent(wrong)).toThrow(/no percentage/);
});

test('sizes are in MiB or GiB', () => {
  expect(['64M', '64MiB', '2G'].map(bytes)).toEqual([64 * 2 ** 20, 64 * 2 ** 20, 2 ** 31]);
  for (const wrong of ['64', 'M', '1.5G', '5K', '-1M']) expect(() => bytes(wrong)).toThrow(/no size/);
});

test('a count is a whole number from 1 to the most there are', () => {
  expect([count('1', 5), count('5', 5)]).toEqual([1, 5]);
  for (const text of ['0', '6', '-1', '1.5', 'x', '']) expect(() => count(text, 5)).toThrow(`'${text}' is no count.`);
});
