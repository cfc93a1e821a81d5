import { describe, expect, test } from 'vitest';
import { sameRules, withExposed, withoutExposed } from './exposure.js';
import { type PortRule, parsePorts, portsText } from './ports.js';

const rule = (ports: string, ...cidrs: string[]): PortRule => ({
  ...parsePorts(ports),
  cidrs: cidrs.length > 0 ? cidrs : ['0.0.0.0/0'],
});
const machine = (...rules: PortRule[]) => ({ id: '3', life: 'alive' as const, rules });
const texts = (rules: readonly PortRule[]) => rules.map(portsText);
const refusal = (code: string, message: RegExp) =>
  expect.objectContaining({ code, exit: 2, message: expect.stringMatching(message) });

describe('exposing', () => {
  test('adds, in order', () => {
    const all = withExposed(machine(rule('443')), [rule('53/udp'), rule('80'), rule('443/udp')]);
    expect(texts(all)).toEqual(['80/tcp', '443/tcp', '53/udp', '443/udp']);
  });

  test('the same ports again are for whom is asked now', () => {
    const all = withExposed(machine(rule('80'), rule('81')), [rule('80', '10.0.0.0/8')]);
    expect(all).toEqual([rule('80', '10.0.0.0/8'), rule('81')]);
  });

  test('ranges that overlap are refused, and it is said which', () => {
    expect(() => withExposed(machine(rule('8000-8010')), [rule('8005')])).toThrow(
      refusal('overlapping-ports', /^8005\/tcp overlaps with 8000-8010\/tcp: machine 3 has/),
    );
    expect(() => withExposed(machine(), [rule('80-90'), rule('85-95')])).toThrow(
      refusal('overlapping-ports', /^85-95\/tcp overlaps with 80-90\/tcp: they are both asked for/),
    );
    expect(() => withExposed(machine(), [rule('80'), rule('80')])).toThrow(refusal('overlapping-ports', /both asked/));
    expect(texts(withExposed(machine(rule('8000-8010')), [rule('8005/udp')]))).toHaveLength(2);
  });

  test.each(['dying', 'dead'] as const)('nothing on a machine that is %s', (life) => {
    expect(() => withExposed({ ...machine(), life }, [rule('80')])).toThrow(
      refusal('machine-not-alive', new RegExp(`^Machine 3 is ${life}`)),
    );
  });

  test('what came as data is judged like what was typed', () => {
    const reversed = { ...rule('80'), from: 90 };
    expect(() => withExposed(machine(), [reversed])).toThrow(refusal('bad-ports', /90-80\/tcp runs backwards/));
    expect(() => withExposed(machine(), [rule('80', '10.0.0.1/8')])).toThrow(refusal('bad-cidr', /in the middle/));
  });

  test('a machine has so many ports and ranges at most', () => {
    expect(() => withExposed(machine(rule('80')), [rule('1000-1999')])).toThrow(
      refusal('too-many-ports', /1001 ports/),
    );
    expect(withExposed(machine(), [rule('1000-1999')])).toHaveLength(1);
    const ranges = Array.from({ length: 51 }, (_, at) => rule(String(1000 + 2 * at)));
    expect(() => withExposed(machine(), ranges)).toThrow(refusal('too-many-ports', /51 ranges/));
  });
});

describe('not exposing any more', () => {
  test('takes away just those', () => {
    expect(texts(withoutExposed(machine(rule('80'), rule('81')), [parsePorts('80')]))).toEqual(['81/tcp']);
  });

  test('what is not exposed just so is refused, and it is said what is', () => {
    const refused =
      (ports: string, ...rules: PortRule[]) =>
      () =>
        withoutExposed(machine(...rules), [parsePorts(ports)]);
    expect(refused('80')).toThrow(refusal('not-exposed', /^80\/tcp is not exposed on machine 3/));
    expect(refused('80/udp', rule('80'))).toThrow(
      expect.objectContaining({ code: 'not-exposed', todo: 'Exposed there: 80/tcp.' }),
    );
    expect(refused('8005', rule('8000-8010'))).toThrow(refusal('not-exposed', /8000-8010\/tcp exposed, as a whole/));
  });
});

test('rules are the same in whatever order, and others where anything differs', () => {
  const [a, b] = [rule('80', '10.0.0.0/8', '192.168.0.0/16'), rule('53/udp')];
  expect(sameRules([a, b], [b, { ...a, cidrs: [...a.cidrs].reverse() }])).toBe(true);
  expect(sameRules([a, b], [a])).toBe(false);
  expect(sameRules([a], [rule('80', '10.0.0.0/8')])).toBe(false);
  expect(sameRules([rule('80')], [rule('80/udp')])).toBe(false);
});
