import { type Anomaly, elementsOf, type Final, type Read, type Write } from './history.js';

/**
 * Inserts of keys that one client each writes once: every acknowledged one is there with its value, none that failed is,
 * none was written twice.
 */
export function checkSet(writes: readonly Write[], final: Final): Anomaly[] {
  const anomalies: Anomaly[] = [];
  const tried = new Set<string>();
  for (const write of writes) {
    tried.add(write.key);
    const found = final.get(write.key);
    const say = (what: string) => anomalies.push({ what: `${write.key}: ${what}`, operations: [write] });
    if (write.outcome === 'ok' && !found) say('was acknowledged and is not there');
    if (write.outcome === 'fail' && found) say('failed, and is there all the same');
    if (found && found.version !== 1) say(`was written ${found.version} times`);
    if (found && found.value !== write.value) say(`is ${found.value}, but ${write.value} was written`);
  }
  for (const key of final.keys()) {
    if (!tried.has(key)) anomalies.push({ what: `${key}: is there, and nobody wrote it`, operations: [] });
  }
  return anomalies;
}

/**
 * Appends to one list: every acknowledged element is there once, none that failed is, and whoever began after another
 * was acknowledged comes after it.
 */
export function checkList(key: string, writes: readonly Write[], final: Final): Anomaly[] {
  const anomalies: Anomaly[] = [];
  const elements = elementsOf(final.get(key)?.value ?? '');
  const places = new Map<string, number>();
  for (const [index, element] of elements.entries()) {
    if (places.has(element)) anomalies.push({ what: `${key}: ${element} is there twice`, operations: [] });
    places.set(element, index);
  }
  const tried = new Map(writes.map((write) => [write.element ?? '', write]));
  for (const write of writes) {
    const there = places.has(write.element ?? '');
    const say = (what: string) => anomalies.push({ what: `${key}: ${write.element} ${what}`, operations: [write] });
    if (write.outcome === 'ok' && !there) say('was acknowledged and is not there');
    if (write.outcome === 'fail' && there) say('failed, and is there all the same');
  }
  for (const element of elements) {
    if (!tried.has(element))
      anomalies.push({ what: `${key}: ${element} is there, and nobody wrote it`, operations: [] });
  }
  // In the list's order: nobody may have been acknowledged before one that stands further in front had begun.
  let latest: Write | null = null;
  for (const element of elements) {
    const write = tried.get(element);
    if (!write) continue;
    if (latest && write.outcome === 'ok' && write.returnedAt < latest.invokedAt) {
      const what = `${key}: ${element} was acknowledged before ${latest.element} began, and comes after it`;
      anomalies.push({ what, operations: [write, latest] });
    }
    if (latest === null || write.invokedAt > latest.invokedAt) latest = write;
  }
  return anomalies;
}

/** What was read of a list is what the list began with in the end: nothing that was seen goes away or changes place. */
export function checkListReads(key: string, reads: readonly Read[], final: Final): Anomaly[] {
  const elements = elementsOf(final.get(key)?.value ?? '');
  return reads.flatMap((read) => {
    const seen = elementsOf(read.value);
    const differs = seen.findIndex((element, index) => element !== elements[index]);
    if (differs < 0) return [];
    const what = `${key}: ${seen[differs]} was read at place ${differs + 1}, where ${elements[differs] ?? 'nothing'} is in the end`;
    return [{ what, operations: [read] }];
  });
}

/** What was read of a register was written by somebody, with that version, and did not fail. */
export function checkRegisterReads(key: string, writes: readonly Write[], reads: readonly Read[]): Anomaly[] {
  const written = new Map(
    writes.filter(({ outcome }) => outcome !== 'fail').map((write) => [`${write.version + 1} ${write.value}`, write]),
  );
  return reads.flatMap((read) => {
    const write = written.get(`${read.version} ${read.value}`);
    if (read.version === 0 || (write && write.invokedAt <= read.returnedAt)) return [];
    const what = `${key}: ${read.value} was read as version ${read.version}, which nobody had written`;
    return [{ what, operations: [read] }];
  });
}

/**
 * Without the unknown writes that certainly were not done: another one was acknowledged from the same version, and their
 * value was never seen. Each that stays doubles what a checker has to try.
 */
export function withoutUndone(writes: readonly Write[], seen: ReadonlySet<string>): Write[] {
  const taken = new Set(writes.filter(({ outcome }) => outcome === 'ok').map(({ version }) => version));
  return writes.filter(
    ({ outcome, version, value }) => outcome !== 'unknown' || !taken.has(version) || seen.has(value),
  );
}
