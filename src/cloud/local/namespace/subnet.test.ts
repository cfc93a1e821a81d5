import { expect, test } from 'vitest';
import { addressOf, contains, numberOf, routesIn, subnetAt, subnetsFor } from './subnet.js';

test('a subnet has its gateway first, then instances, never the broadcast address', () => {
  const subnet = subnetAt([7, 16]);
  expect(subnet).toMatchObject({ cidr: '10.7.16.0/20', gateway: '10.7.16.1' });
  expect(subnet.instance(1)).toBe('10.7.16.2');
  expect(subnet.instance(254)).toBe('10.7.16.255');
  expect(subnet.instance(255)).toBe('10.7.17.0');
  expect(subnet.instance(4093)).toBe('10.7.31.254');
  expect(subnet.instance(4094)).toBeNull();
});

test('an environment has its own candidates, the same each time, each the start of a /20', () => {
  const all = subnetsFor('9b2f0a52-51a5-4f04-8f4b-4f9b1c0c7c11');
  expect(all).toEqual(subnetsFor('9b2f0a52-51a5-4f04-8f4b-4f9b1c0c7c11'));
  expect(all).not.toEqual(subnetsFor('9b2f0a52-51a5-4f04-8f4b-4f9b1c0c7c12'));
  expect(all.every(([x, y]) => x >= 0 && x <= 255 && y % 16 === 0 && y <= 240)).toBe(true);
});

test('networks with a route are seen, the default route is not one, and overlaps go both ways', () => {
  const table = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
    'tun0\t0000070A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0',
    '',
  ].join('\n');
  const routes = routesIn(table);
  expect(routes.map(({ first, last }) => [addressOf(first), addressOf(last)])).toEqual([['10.7.0.0', '10.7.255.255']]);
  expect(routes.some(subnetAt([7, 16]).overlaps)).toBe(true);
  expect(routes.some(subnetAt([8, 16]).overlaps)).toBe(false);
  const one = { first: numberOf('10.8.31.255'), last: numberOf('10.8.31.255') };
  expect(subnetAt([8, 16]).overlaps(one)).toBe(true);
  expect(subnetAt([8, 32]).overlaps(one)).toBe(false);
});

test('an address is in a network or beside it', () => {
  expect(contains('10.7.16.0/20', '10.7.31.255')).toBe(true);
  expect(contains('10.7.16.0/20', '10.7.32.0')).toBe(false);
  expect(contains('10.7.16.0/20', '127.7.16.1')).toBe(false);
});
