import { type Judged, well, wrong } from './finding.js';

export interface DiskSeen {
  readonly whose: string;
  /** null: it has not said. */
  readonly disk: { readonly freeBytes: number; readonly totalBytes: number } | null;
}

/** A controller's data and its journal fit into this. */
const LOW_BYTES = 1024 ** 3;

/** Pure. */
export function judgeDisks(seen: readonly DiskSeen[]): readonly Judged[] {
  const known = seen.flatMap(({ whose, disk }) => (disk ? [{ whose, ...disk }] : []));
  const low = known.filter(({ freeBytes }) => freeBytes < LOW_BYTES);
  if (low.length > 0) {
    return low.map(({ whose, freeBytes }) =>
      wrong(
        `${gib(freeBytes)} free on ${whose}`,
        'Make room, or give it a larger disk: MongoDB stops when its disk is full, and a controller needs about 1 GiB.',
      ),
    );
  }
  const least = known.reduce<(typeof known)[number] | null>((a, b) => (a && a.freeBytes <= b.freeBytes ? a : b), null);
  return least ? [well(`at least ${gib(least.freeBytes)} free everywhere, the least on ${least.whose}`)] : [];
}

const gib = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
