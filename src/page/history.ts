import type { Change } from '../api/changes.js';
import type { Sighting } from './model.js';

/** One point of the time line. */
export type Entry =
  | { readonly at: number; readonly kind: 'change'; readonly change: Change }
  | { readonly at: number; readonly kind: 'sighting'; readonly sighting: Sighting };

/**
 * What has happened, the latest first: the environment's changes that have ended, and what this page has seen itself, by the
 * environment's clock. Pure.
 */
export function historyOf(changes: readonly Change[], sightings: readonly Sighting[], clockOffsetMs: number): Entry[] {
  const entries: Entry[] = [
    ...changes
      .filter(({ state }) => state !== 'running')
      .map((change) => ({ at: Date.parse(change.startedAt), kind: 'change', change }) as const),
    ...sightings.map((sighting) => ({ at: sighting.at + clockOffsetMs, kind: 'sighting', sighting }) as const),
  ];
  return entries.sort((a, b) => b.at - a.at);
}

/** What of a change failed, in its own words: steps that did not take effect, each once. Pure. */
export function failuresOf({ steps }: Change): string[] {
  const told = steps
    .filter(({ state }) => state === 'failed')
    .map(({ text, outcome }) => (outcome ? `${text}: ${outcome}` : text));
  return [...new Set(told)];
}
