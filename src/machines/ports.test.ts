import { expect, test } from 'vitest';
import { countPorts, overlap, parsePorts, portsText } from './ports.js';

test.each([
  ['80', '80/tcp'],
  ['53/udp', '53/udp'],
  ['443/TCP', '443/tcp'],
  ['8000-8010/tcp', '8000-8010/tcp'],
  ['7-7', '7/tcp'],
  ['1-65535/udp', '1-65535/udp'],
])('%s is %s', (typed, text) => {
  expect(portsText(parsePorts(typed))).toBe(text);
});

test.each([
  ['0', /no port 0/],
  ['65536/tcp', /no port 65536/],
  ['80-65536', /no port 65536/],
  ['8010-8000', /8010-8000\/tcp runs backwards/],
  ['80/icmp', /ports of icmp/],
  ['http', /'http' names no ports/],
  ['', /'' names no ports/],
  ['-1', /'-1' names no ports/],
  ['80-', /names no ports/],
  ['80,443', /names no ports/],
  ['99999999999999999999', /no port/],
])('%j is refused', (typed, message) => {
  expect(() => parsePorts(typed)).toThrow(expect.objectContaining({ code: 'bad-ports', exit: 2 }));
  expect(() => parsePorts(typed)).toThrow(message);
});

test.each([
  ['80', '80', true],
  ['80/tcp', '80/udp', false],
  ['8000-8010', '8010-8020', true],
  ['8000-8010', '8011', false],
  ['8005', '8000-8010', true],
])('%s and %s overlap: %s', (a, b, so) => {
  expect(overlap(parsePorts(a), parsePorts(b))).toBe(so);
  expect(overlap(parsePorts(b), parsePorts(a))).toBe(so);
});

test('ports are counted with both ends', () => {
  expect(countPorts([parsePorts('80'), parsePorts('8000-8010/udp')])).toBe(12);
});
