import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { QuorateError, reasonOf, usageError } from '../errors.js';

/** Letters and digits that nobody takes for one another. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz234567890';
const GROUPS = 4;
const GROUP = 5;

/** A password of 100 random bits, in groups that can be read out. */
export function generatedPassword(bytes: Uint8Array = randomBytes(GROUPS * GROUP)): string {
  const letters = [...bytes].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
  return Array.from({ length: GROUPS }, (_, group) => letters.slice(group * GROUP, (group + 1) * GROUP)).join('-');
}

/** A password from a file (`-`: standard input), which ends with its first line. */
export async function passwordFrom(file: string): Promise<string> {
  let contents: string;
  try {
    contents = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (error) {
    throw new QuorateError('no-password', `the password could not be read from ${file}: ${reasonOf(error)}.`);
  }
  const password = firstLine(contents);
  if (password === '') throw usageError('no-password', `there is no password in ${file === '-' ? 'the input' : file}.`);
  return password;
}

export function firstLine(contents: string): string {
  return contents.split(/\r?\n/, 1)[0] ?? '';
}

/** Asks a person at a terminal for a password, which is not shown; refuses where nobody sits. */
export async function askPassword(question: string, otherwise: string): Promise<string> {
  if (!process.stdin.isTTY) throw usageError('no-password', 'nobody is here to type a password.', otherwise);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  process.stderr.write(question);
  const interrupted = new Promise<never>((_, reject) =>
    terminal.once('SIGINT', () => reject(new QuorateError('interrupted', 'nothing was done.'))),
  );
  try {
    return await Promise.race([terminal.question(''), interrupted]);
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}

/** The same for a new one, which is typed twice. */
export async function askNewPassword(whose: string, otherwise: string): Promise<string> {
  const password = await askPassword(`New password for ${whose}: `, otherwise);
  if ((await askPassword('The same again: ', otherwise)) === password) return password;
  throw new QuorateError('not-the-same', 'the two passwords differ; nothing was done.');
}
