import { createInterface } from 'node:readline/promises';
import { QuorateError, usageError } from '../errors.js';

/**
 * Has a person type the environment's name, or takes it from `--confirm`; anything else is refused and nothing was done.
 * @param what the sentence that says what is about to happen
 */
export async function typedName(name: string, what: string, { confirm }: { readonly confirm?: string }): Promise<void> {
  if (confirm === undefined && !process.stdin.isTTY) {
    throw usageError('not-confirmed', what, `Say so with: --confirm ${name}`);
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
