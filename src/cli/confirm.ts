import { createInterface } from 'node:readline/promises';
import { QuorateError, usageError } from '../errors.js';

/**
 * Has a person type the environment's name, or takes it from `--confirm`; anything else is refused and nothing was done.
 * @param what the sentence that says what is about to happen
 * @param given.say the option by which who cannot be asked says so
 */
export async function typedName(
  name: string,
  what: string,
  { confirm, say = `--confirm ${name}` }: { readonly confirm?: string; readonly say?: string },
): Promise<void> {
  if (confirm === undefined && !process.stdin.isTTY) {
    throw usageError('not-confirmed', what, `Say so with: ${say}`);
  }
  const answer = confirm ?? (await ask(`${what} Type the name of the environment to go on: `));
  if (answer.trim() === name) return;
  throw new QuorateError('not-confirmed', `Nothing was done: '${answer.trim()}' is not the name of the environment.`, {
    todo: `Its name is ${name}.`,
  });
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}
