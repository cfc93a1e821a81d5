/**
 * What is to be done about a failure of Amazon's.
 *
 * - `retry`: the same again after a pause; it may have been done already.
 * - `look-again`: what was asked about is not shown yet, or is gone: only looking again tells.
 * - `other-zone`, `other-type`: not here, not as this; nothing was started.
 * - `re-plan`: what was asked does not fit what is there any more; facts are to be read anew.
 * - `wait`: a person or time has to change something; then the same goes on.
 * - `fatal`: trying again changes nothing; a person has to act.
 */
export type Reaction = 'retry' | 'look-again' | 'other-zone' | 'other-type' | 're-plan' | 'wait' | 'fatal';

/** A line of the table. `{call}`, `{permission}` and `{message}` are filled in. */
export interface Line {
  /** Codes as Amazon writes them; one that ends with `*` stands for all that begin so. */
  readonly codes: readonly string[];
  /** Where one code means several things, what the message says in this case. */
  readonly says?: RegExp;
  readonly reaction: Reaction;
  /** The `QuorateError`'s code. */
  readonly becomes: string;
  readonly sentence: string;
  readonly todo: string;
}

/** For what passes by itself. */
export const AGAIN = 'It is tried again by itself.';

/** A line of the table. @param codes with spaces between them */
export const line = (
  codes: string,
  reaction: Reaction,
  becomes: string,
  sentence: string,
  todo: string,
  says?: RegExp,
): Line => ({ codes: codes.split(' '), reaction, becomes, sentence, todo, ...(says === undefined ? {} : { says }) });
