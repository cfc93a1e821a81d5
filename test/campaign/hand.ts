import { MOST_A_DAY } from '../../src/membership/pace.js';
import { SENTINEL } from '../../src/temporal/names.js';

/** Changes that bring and remove controllers. */
const SIZING = ['enable-ha', 'disable-ha', 'replace'];

/** What is known when an environment is not whole by itself. */
export interface Unhealed {
  /** The environment's changes, in any order. */
  readonly changes: readonly {
    readonly by: string;
    readonly kind: string;
    readonly state: string;
    readonly startedAt: string;
  }[];
  /** Members that a reconfig by hand left without a vote. */
  readonly voteless: readonly string[];
}

/** Why it does not heal by itself, where that is how it is meant; null: it should have. */
export function whyByHand({ changes, voteless }: Unhealed): string | null {
  const replacements = changes.filter(({ by, kind }) => by === SENTINEL && kind === 'replace').length;
  if (replacements >= MOST_A_DAY) return `${replacements} replacements were begun by themselves, the most of a day`;
  const [last] = changes
    .filter(({ by, kind }) => by !== SENTINEL && SIZING.includes(kind))
    .sort((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt));
  if (last !== undefined && ['blocked', 'failed', 'cancelled'].includes(last.state)) {
    return `a person's ${last.kind} was ${last.state}, and what it did not bring is a person's to ask for`;
  }
  if (voteless.length > 0) return `changed by hand: ${voteless.join('; ')}`;
  return null;
}
