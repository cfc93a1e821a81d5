import type { Subnet } from '@aws-sdk/client-ec2';

/**
 * One subnet of each zone: the zone's default one, else one that gives public addresses, else the first by ID. Always the
 * same, as a start that is repeated must ask for the same. Pure.
 */
export function oneAZone(subnets: readonly Subnet[]): { id: string; zone: string }[] {
  const rank = ({ DefaultForAz, MapPublicIpOnLaunch, SubnetId = '' }: Subnet) =>
    `${DefaultForAz ? 0 : 1}${MapPublicIpOnLaunch ? 0 : 1}${SubnetId}`;
  const zones = new Map<string, string>();
  for (const subnet of [...subnets].sort((a, b) => rank(a).localeCompare(rank(b)))) {
    const { SubnetId: id, AvailabilityZone: zone, State = 'available', Ipv6Native, OutpostArn } = subnet;
    if (id === undefined || zone === undefined || State !== 'available' || Ipv6Native || OutpostArn) continue;
    if (!zones.has(zone)) zones.set(zone, id);
  }
  return [...zones].map(([zone, id]) => ({ id, zone })).sort((a, b) => a.zone.localeCompare(b.zone));
}
