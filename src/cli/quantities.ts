import { usageError } from '../errors.js';

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `50ms`, `+1h`, `-30m`, in milliseconds. */
export function milliseconds(text: string): number {
  const [, sign = '', number = '', unit = ''] = /^([+-]?)(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  if (number === '')
    throw usageError('bad-duration', `'${text}' is no duration.`, 'Use a number and its unit: 50ms, 2s, 5m, +1h, -1d.');
  return (sign === '-' ? -1 : 1) * Number(number) * (UNITS_MS[unit] ?? 1);
}

/** `2%` or `0.5`, in percent. */
export function percent(text: string): number {
  const value = /^\d+(\.\d+)?%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (!(value <= 100)) throw usageError('bad-percentage', `'${text}' is no percentage.`, 'Use 0% to 100%.');
  return value;
}

/** `64M`, `2G`, in bytes. */
export function bytes(text: string): number {
  const [, number = '', unit = ''] = /^(\d+)([MG])i?B?$/.exec(text) ?? [];
  if (number === '') throw usageError('bad-size', `'${text}' is no size.`, 'Use a number and its unit: 512M, 2G.');
  return Number(number) * (unit === 'G' ? 2 ** 30 : 2 ** 20);
}

/** `20`, from 1 to `most`. */
export function count(text: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw usageError('bad-count', `'${text}' is no count.`, `Say how many: 1 to ${most}.`);
}
