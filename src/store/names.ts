import { usageError } from '../errors.js';

const LONGEST = 40;

/**
 * Refuses what cannot be an environment's name. A name becomes a directory, part of workflow IDs and of task queues, so it
 * is lowercase letters, digits and single dashes, a letter first, at most 40 characters.
 */
export function validateEnvironmentName(name: string): void {
  const reason = whyNotAName(name);
  if (reason === null) return;
  throw usageError(
    'bad-name',
    `${JSON.stringify(name)} cannot be the name of an environment: ${reason}.`,
    'Use lowercase letters, digits and single dashes, a letter first, at most 40 characters: demo, my-env-2.',
  );
}

function whyNotAName(name: string): string | null {
  if (name === '') return 'it is empty';
  if (name.length > LONGEST) return `it has ${name.length} characters, more than ${LONGEST}`;
  if (name.includes('/')) return 'it has a /';
  if (name.includes('..')) return 'it has two dots';
  if (/\p{Lu}/u.test(name)) return 'it has capital letters';
  if (!/^[a-z]/.test(name)) return 'it does not begin with a letter';
  const strange = /[^a-z0-9-]/u.exec(name);
  if (strange)
    return `it has the character ${JSON.stringify(String.fromCodePoint(name.codePointAt(strange.index) ?? 0))}`;
  if (name.includes('--') || name.endsWith('-')) return 'a dash must stand between two letters or digits';
  return null;
}
