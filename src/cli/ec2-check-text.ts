import type { Found, Lack, Readiness } from '../cloud/ec2/check.js';
import { QuorateError } from '../errors.js';
import { type Finding, well, wrong } from './doctor/finding.js';
import { temporalFromOutside } from './temporal-from-outside.js';

const TEMPORAL = 'Temporal';

/** What was looked at, Temporal included. */
export interface Looked extends Pick<Readiness, 'who' | 'notes'> {
  readonly found: readonly (Omit<Found, 'look'> & { readonly look: string })[];
  readonly lacks: readonly (Omit<Lack, 'look'> & { readonly look: string })[];
}

/** Besides what Amazon says: whether the Temporal of this shell is at an address that instances could reach. */
export async function withOurs(seen: Readiness): Promise<Looked> {
  try {
    const address = await temporalFromOutside();
    return { ...seen, found: [...seen.found, { look: TEMPORAL, seen: `${address}, which is no loopback address` }] };
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    const { code, message, todo } = error;
    return { ...seen, lacks: [...seen.lacks, { look: TEMPORAL, code, message, todo }] };
  }
}

/** The same as `quorate doctor` tells it. Pure. */
export function checkFindings(region: string, { found, lacks, notes }: Looked): Finding[] {
  const where = `EC2 in ${region}`;
  return [
    ...found.map(({ look, seen }) => ({ where, check: look, ...well(seen), fixed: null })),
    ...notes.map((note) => ({ where, check: 'note', ...well(withoutStop(note)), fixed: null })),
    ...lacks.map(({ look, message, todo }) => ({
      where,
      check: look,
      ...wrong(withoutStop(message), todo),
      fixed: null,
    })),
  ];
}

const withoutStop = (sentence: string) => sentence.replace(/\.$/, '');
