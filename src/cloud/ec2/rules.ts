import type { IpPermission } from '@aws-sdk/client-ec2';
import type { PortRule, Protocol } from '../../machines/ports.js';

/** One way in: EC2 keeps, counts and compares rules so. */
export interface Way {
  readonly protocol: Protocol;
  readonly from: number;
  readonly to: number;
  /** A network, or the ID of a security group. */
  readonly source: string;
}

/** Every way in that the rules allow, each once. Pure. */
export function waysOf(rules: readonly PortRule[]): Way[] {
  return distinct(
    rules.flatMap(({ protocol, from, to, cidrs }) => cidrs.map((source) => ({ protocol, from, to, source }))),
  );
}

/** What a security group lets in to ports, whoever wrote it. A rule for all protocols counts for both of ours. Pure. */
export function waysIn(permissions: readonly IpPermission[]): Way[] {
  const ways = permissions.flatMap(({ IpProtocol, FromPort, ToPort, IpRanges, Ipv6Ranges, UserIdGroupPairs }) => {
    const sources = [
      ...(IpRanges ?? []).map(({ CidrIp }) => CidrIp),
      ...(Ipv6Ranges ?? []).map(({ CidrIpv6 }) => CidrIpv6),
      ...(UserIdGroupPairs ?? []).map(({ GroupId }) => GroupId),
    ].flatMap((source) => source ?? []);
    const all = IpProtocol === '-1';
    const [from, to] = all ? [1, 65_535] : [Math.max(1, FromPort ?? 1), ToPort ?? 65_535];
    return protocolsOf(IpProtocol).flatMap((protocol) => sources.map((source) => ({ protocol, from, to, source })));
  });
  return distinct(ways);
}

const protocolsOf = (name = ''): Protocol[] =>
  (({ '-1': ['tcp', 'udp'], tcp: ['tcp'], '6': ['tcp'], udp: ['udp'], '17': ['udp'] })[name] as
    | Protocol[]
    | undefined) ?? [];

/** Ways in as rules, in an order that does not change. Pure. */
export function rulesFrom(ways: readonly Way[]): PortRule[] {
  return grouped(ways).map(({ protocol, from, to, sources }) => ({ protocol, from, to, cidrs: sources }));
}

/** Ways in as EC2 takes them. Pure. */
export function permissionsFrom(ways: readonly Way[]): IpPermission[] {
  return grouped(ways).map(({ protocol, from, to, sources }) => {
    const groups = sources.filter((source) => source.startsWith('sg-'));
    const v6 = sources.filter((source) => source.includes(':'));
    const v4 = sources.filter((source) => !groups.includes(source) && !v6.includes(source));
    return {
      IpProtocol: protocol,
      FromPort: from,
      ToPort: to,
      ...(v4.length > 0 ? { IpRanges: v4.map((CidrIp) => ({ CidrIp })) } : {}),
      ...(v6.length > 0 ? { Ipv6Ranges: v6.map((CidrIpv6) => ({ CidrIpv6 })) } : {}),
      ...(groups.length > 0 ? { UserIdGroupPairs: groups.map((GroupId) => ({ GroupId })) } : {}),
    };
  });
}

/**
 * What is let in and not wanted, as it has to be named to be taken away: of a plain rule the sources that are not wanted, of
 * any other kind (all protocols, ICMP, a list of prefixes) the rule as it is. Pure.
 */
export function straysOf(permissions: readonly IpPermission[], wanted: readonly Way[]): IpPermission[] {
  const plain = permissions.filter(
    ({ IpProtocol, FromPort, PrefixListIds = [] }) =>
      ['tcp', 'udp'].includes(IpProtocol ?? '') && FromPort !== undefined && PrefixListIds.length === 0,
  );
  const others = permissions.filter((permission) => !plain.includes(permission));
  return [...permissionsFrom(lacking(waysIn(plain), wanted)), ...others];
}

/** What is wanted and not there. Pure. */
export function lacking(wanted: readonly Way[], there: readonly Way[]): Way[] {
  const have = new Set(there.map(keyOf));
  return wanted.filter((way) => !have.has(keyOf(way)));
}

const keyOf = ({ protocol, from, to, source }: Way) => `${protocol} ${from} ${to} ${source}`;

const distinct = (ways: readonly Way[]): Way[] => [...new Map(ways.map((way) => [keyOf(way), way])).values()];

function grouped(ways: readonly Way[]) {
  const byRange = new Map<string, Omit<Way, 'source'> & { sources: string[] }>();
  for (const { protocol, from, to, source } of ways) {
    const key = `${protocol} ${from} ${to}`;
    const range = byRange.get(key) ?? { protocol, from, to, sources: [] };
    byRange.set(key, range);
    range.sources.push(source);
  }
  return [...byRange.values()]
    .map((range) => ({ ...range, sources: range.sources.sort() }))
    .sort((a, b) => a.protocol.localeCompare(b.protocol) || a.from - b.from || a.to - b.to);
}
