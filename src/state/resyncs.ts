import type { MachineDocument } from './documents.js';

const HEALTHY_MS = 3600 * 1000;

/**
 * The resyncs of a machine that count against it: none once its member has been well for an hour since the last one. One
 * that broke sooner would have been seen to by now, as a broken member is waited for `afterMs` (`resync-after`) only.
 */
export function countedResyncs(
  { resyncs, resyncedAt }: Pick<MachineDocument, 'resyncs' | 'resyncedAt'>,
  now: Date,
  afterMs: number,
): number {
  return resyncedAt !== undefined && now.getTime() - resyncedAt.getTime() > HEALTHY_MS + afterMs ? 0 : resyncs;
}
