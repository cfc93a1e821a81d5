import { describe, expect, test } from 'vitest';
import { checkSetting, durationMs, effectiveValue, SETTINGS, timingsFrom } from './settings.js';

describe('settings', () => {
  test('every known one accepts its own defaults', () => {
    for (const { name } of SETTINGS) {
      for (const cloud of ['local', 'ec2']) checkSetting(name, effectiveValue(name, undefined, cloud));
    }
  });

  test('defaults differ by cloud, and what is stored counts', () => {
    expect(effectiveValue('grace', undefined, 'local')).toBe('15s');
    expect(effectiveValue('grace', undefined, 'ec2')).toBe('60s');
    expect(effectiveValue('grace', '3s', 'local')).toBe('3s');
    expect(effectiveValue('x-mine', undefined, 'local')).toBe('');
  });

  test('members hear each other at least twice before they miss the primary', () => {
    expect(timingsFrom({})).toEqual({ heartbeatMs: 500, electionMs: 2000 });
    expect(timingsFrom({ 'heartbeat-interval': '200ms' })).toEqual({ heartbeatMs: 200, electionMs: 2000 });
    expect(timingsFrom({ 'heartbeat-interval': '1m', 'election-timeout': '3s' })).toEqual({
      heartbeatMs: 1500,
      electionMs: 3000,
    });
  });

  test.each([
    ['500ms', 500],
    ['15s', 15_000],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['15', 15_000],
    ['', null],
    ['-1s', null],
    ['1 s', null],
    ['1d', null],
  ])('%s is %s ms', (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });

  test.each([
    ['grace', '20s', null],
    ['grace', 'soon', 'bad-setting'],
    ['suspect-after', '1ms', 'bad-setting'],
    ['election-timeout', '1h', 'bad-setting'],
    ['auto-replace', 'false', null],
    ['auto-replace', 'no', 'bad-setting'],
    ['colour', 'red', 'unknown-setting'],
    ['x-colour', 'red', null],
    ['x-', '', null],
    ['x-a b', '', 'bad-setting'],
    [`x-${'a'.repeat(300)}`, '', 'bad-setting'],
    ['x-long', 'a'.repeat(20_000), 'bad-setting'],
  ])('%s = %s: %s', (key, value, code) => {
    const check = () => checkSetting(key, value);
    if (code === null) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ code }));
  });
});
