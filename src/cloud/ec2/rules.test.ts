import { expect, test } from 'vitest';
import { lacking, permissionsFrom, rulesFrom, straysOf, type Way, waysIn, waysOf } from './rules.js';

const way = (port: number, source: string, protocol: 'tcp' | 'udp' = 'tcp'): Way => ({
  protocol,
  from: port,
  to: port,
  source,
});
const rule = (from: number, to: number, ...cidrs: string[]) => ({ protocol: 'tcp' as const, from, to, cidrs });

test('rules come back from EC2 as they went, whatever the order', () => {
  const rules = [
    rule(80, 80, '0.0.0.0/0', '::/0'),
    rule(8000, 8010, '10.0.0.0/8'),
    { ...rule(53, 53, '10.0.0.0/8'), protocol: 'udp' as const },
  ];
  expect(rulesFrom(waysIn(permissionsFrom(waysOf([...rules].reverse()))))).toEqual(rules);
});

test('a range is one permission, with networks and groups each in their place', () => {
  expect(permissionsFrom([way(80, '::/0'), way(80, '10.0.0.0/8'), way(80, 'sg-1')])).toEqual([
    {
      IpProtocol: 'tcp',
      FromPort: 80,
      ToPort: 80,
      IpRanges: [{ CidrIp: '10.0.0.0/8' }],
      Ipv6Ranges: [{ CidrIpv6: '::/0' }],
      UserIdGroupPairs: [{ GroupId: 'sg-1' }],
    },
  ]);
});

test('what is let in twice is one way in', () => {
  expect(waysOf([rule(80, 80, '10.0.0.0/8'), rule(80, 80, '10.0.0.0/8')])).toEqual([way(80, '10.0.0.0/8')]);
});

test('what somebody opened to all protocols is seen as open on every port', () => {
  const ways = waysIn([{ IpProtocol: '-1', IpRanges: [{ CidrIp: '10.0.0.0/8' }] }]);
  expect(rulesFrom(ways)).toEqual([
    rule(1, 65_535, '10.0.0.0/8'),
    { ...rule(1, 65_535, '10.0.0.0/8'), protocol: 'udp' },
  ]);
  expect(waysIn([{ IpProtocol: 'icmp', FromPort: -1, ToPort: -1, IpRanges: [{ CidrIp: '10.0.0.0/8' }] }])).toEqual([]);
});

test('only what is missing is opened', () => {
  expect(lacking([way(80, 'a'), way(81, 'a'), way(80, 'b')], [way(80, 'a'), way(80, 'b', 'udp')])).toEqual([
    way(81, 'a'),
    way(80, 'b'),
  ]);
});

test('of a rule only the networks that are not wanted are closed; what is of another kind is closed whole', () => {
  const ping = { IpProtocol: 'icmp', FromPort: -1, ToPort: -1, IpRanges: [{ CidrIp: '0.0.0.0/0' }] };
  const all = { IpProtocol: '-1', IpRanges: [{ CidrIp: '10.0.0.0/8' }] };
  const web = {
    IpProtocol: 'tcp',
    FromPort: 80,
    ToPort: 80,
    IpRanges: [{ CidrIp: '10.0.0.0/8' }, { CidrIp: '192.0.2.0/24' }],
  };
  expect(straysOf([web, ping, all], [way(80, '10.0.0.0/8')])).toEqual([
    { IpProtocol: 'tcp', FromPort: 80, ToPort: 80, IpRanges: [{ CidrIp: '192.0.2.0/24' }] },
    ping,
    all,
  ]);
  expect(straysOf([web], waysIn([web]))).toEqual([]);
});
