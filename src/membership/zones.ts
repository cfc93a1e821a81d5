/** Zones for `count` more machines: each goes where fewest are, in the cloud's order. `used` are the zones of those there. */
export function spread(zones: readonly string[], used: readonly string[], count: number): readonly string[] {
  const crowds = new Map(zones.map((zone) => [zone, used.filter((other) => other === zone).length]));
  return Array.from({ length: count }, () => {
    const crowd = (zone: string) => crowds.get(zone) ?? 0;
    const zone = zones.reduce((best, next) => (crowd(next) < crowd(best) ? next : best), zones[0] ?? '');
    crowds.set(zone, crowd(zone) + 1);
    return zone;
  });
}
