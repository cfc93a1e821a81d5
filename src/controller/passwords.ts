import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { QuorateError } from '../errors.js';
import type { PasswordHash } from '../state/user-documents.js';
import { TooMany } from './too-many.js';

/** OWASP's parameters for 32 MiB: a third of a second on a quiet core. */
const PARAMETERS = { cost: 2 ** 15, blockSize: 8, parallelization: 3 } as const;
const HASH_BYTES = 32;
const SALT_BYTES = 16;
const SHORTEST = 8;
/** Hashes that wait for their turn. */
const LONGEST_QUEUE = 16;

/** What passwords that nobody has are tried against, so that an unknown user takes as long as a known one. */
const NOBODYS: PasswordHash = {
  algorithm: 'scrypt',
  ...PARAMETERS,
  salt: Buffer.alloc(SALT_BYTES).toString('base64'),
  hash: randomBytes(HASH_BYTES).toString('base64'),
};

/**
 * Hashes and tries passwords, off the event loop and one at a time: each takes 32 MiB and a core, and the machine has
 * MongoDB to run. Throws `too-many` rather than let a queue grow.
 */
export class Passwords {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** What is kept of a password; refuses one that is too short (`bad-password`). */
  async hash(password: string): Promise<PasswordHash> {
    if ([...password].length < SHORTEST) {
      throw new QuorateError('bad-password', `A password has at least ${SHORTEST} characters.`, { exit: 2 });
    }
    const salt = randomBytes(SALT_BYTES).toString('base64');
    const hash = await this.#inTurn(password, { ...PARAMETERS, salt }, HASH_BYTES);
    return { algorithm: 'scrypt', ...PARAMETERS, salt, hash: hash.toString('base64') };
  }

  /** Whether it is the password that `kept` was made of; null (no such user) takes as long, and it never is. */
  async matches(password: string, kept: PasswordHash | null): Promise<boolean> {
    const against = kept ?? NOBODYS;
    const expected = Buffer.from(against.hash, 'base64');
    const hash = await this.#inTurn(password, against, expected.length);
    return timingSafeEqual(hash, expected) && kept !== null;
  }

  async #inTurn(password: string, with_: Omit<PasswordHash, 'algorithm' | 'hash'>, bytes: number): Promise<Buffer> {
    if (this.#waiting >= LONGEST_QUEUE) throw new TooMany('Too many log in at this controller at once.', 5);
    this.#waiting += 1;
    const turn = this.#last.then(() => derive(password, with_, bytes));
    this.#last = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }
}

function derive(
  password: string,
  { cost, blockSize, parallelization, salt }: Omit<PasswordHash, 'algorithm' | 'hash'>,
  bytes: number,
): Promise<Buffer> {
  const options: ScryptOptions = { cost, blockSize, parallelization, maxmem: 256 * cost * blockSize };
  return new Promise((resolve, reject) =>
    // One text has one form, whatever keyboard it comes from.
    scrypt(password.normalize('NFKC'), Buffer.from(salt, 'base64'), bytes, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    ),
  );
}
