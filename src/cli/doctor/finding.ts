import { QuorateError, reasonOf } from '../../errors.js';

/** What `--fix` may do: nothing here touches a vote, a member or a document that somebody still works with. */
export type Fix =
  | { readonly kind: 'terminate'; readonly instance: string; readonly machine: string }
  /** On the local cloud, or in a region of EC2. */
  | { readonly kind: 'remove-unknown'; readonly uuid: string; readonly region?: string }
  | { readonly kind: 'close-change'; readonly runId: string }
  | { readonly kind: 'start-singletons' }
  | { readonly kind: 'register-search-attributes' };

/** What one check has to say of one thing. */
export interface Judged {
  readonly well: boolean;
  /** What was seen: a sentence without its full stop. */
  readonly seen: string;
  /** What to do about it; empty when all is well. */
  readonly todo: string;
  readonly fix: Fix | null;
}

/** The same with where it was seen and by which check: what `quorate doctor --format json` prints. */
export interface Finding extends Judged {
  /** The environment, or empty for this machine. */
  readonly where: string;
  readonly check: string;
  /** What `--fix` has done about it, or why it could not; null when it was not asked to, or cannot do anything. */
  readonly fixed: { readonly done: boolean; readonly said: string } | null;
}

export const well = (seen: string): Judged => ({ well: true, seen, todo: '', fix: null });
export const wrong = (seen: string, todo: string, fix: Fix | null = null): Judged => ({ well: false, seen, todo, fix });

/** A check: what it asks for, and what follows from the answers. */
export interface Check<S> {
  readonly name: string;
  /** Without which of these it cannot be made; the check of the same name says what is wrong with it. */
  readonly needs: readonly Need[];
  readonly run: (subject: S) => Promise<readonly Judged[]>;
}

export type Need = 'controllers' | 'temporal';

/** Puts a check together from its asking and its judgement, which is pure. */
export function check<S, F>(
  name: string,
  needs: readonly Need[],
  ask: (subject: S) => Promise<F>,
  judge: (facts: F) => readonly Judged[],
): Check<S> {
  return { name, needs, run: async (subject) => judge(await ask(subject)) };
}

/** Makes the checks at once, but for those that lack what they need; a check that cannot be made is a finding too. */
export async function runChecks<S>(
  where: string,
  checks: readonly Check<S>[],
  subject: S,
  lacking: readonly Need[] = [],
): Promise<Finding[]> {
  const possible = checks.filter(({ needs }) => !needs.some((need) => lacking.includes(need)));
  const findings = await Promise.all(
    possible.map(async ({ name, run }) => {
      const judged = await run(subject).catch((error) => [notMade(error)]);
      return judged.map((one): Finding => ({ where, check: name, ...one, fixed: null }));
    }),
  );
  return findings.flat();
}

function notMade(error: unknown): Judged {
  return error instanceof QuorateError
    ? wrong(error.message.replace(/\.$/, ''), error.todo)
    : wrong(`could not be looked at: ${reasonOf(error)}`, 'Ask again in a moment.');
}
