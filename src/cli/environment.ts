import leven from 'leven';
import { QuorateError, usageError } from '../errors.js';
import type { EnvironmentRecord, Store } from '../store/store.js';

/** The environment a command is about: `-e NAME`, else QUORATE_ENVIRONMENT, else the current one. */
export async function chooseEnvironment(store: Store, asked: string | undefined): Promise<EnvironmentRecord> {
  const name = asked ?? process.env.QUORATE_ENVIRONMENT ?? (await store.current());
  const known = await store.listEnvironments();
  if (!name) {
    throw known.length === 0
      ? new QuorateError('no-environment', 'there is no environment yet.', {
          todo: 'Start one with: quorate bootstrap local demo      or see it all at once: quorate quickstart',
        })
      : new QuorateError('no-current-environment', 'no environment is the current one.', {
          todo: `Name one with -e: ${known.join(', ')}.`,
        });
  }
  const record = known.includes(name) ? await store.readEnvironment(name) : null;
  if (record) return record;
  throw usageError(
    'unknown-environment',
    `there is no environment '${name}'.`,
    known.length === 0
      ? 'Start one with: quorate bootstrap local demo'
      : `There ${known.length === 1 ? 'is' : 'are'}: ${known.join(', ')}${didYouMean(name, known)}.`,
  );
}

/** " (did you mean X?)" for the nearest known word, or nothing when none is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const nearest = known
    .map((candidate) => ({ candidate, distance: leven(word, candidate) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return nearest && nearest.distance <= Math.max(1, Math.floor(word.length / 3))
    ? ` (did you mean ${nearest.candidate}?)`
    : '';
}
