import { setTimeout as sleep } from 'node:timers/promises';
import { ReadConcern, ReadPreference } from 'mongodb';
import { QuorateError } from '../errors.js';
import { isPassing } from '../state/passing.js';
import type { State } from '../state/state.js';

/** Options for a read, and whether what it finds may be old. */
export interface Reading {
  readonly stale: boolean;
  readonly options: { readonly readPreference: ReadPreference; readonly readConcern: ReadConcern };
}

/** How long a primary is waited for before a member's own view is taken: longer than any succession. */
const PATIENCE_MS = 2500;
const LOCAL_MS = 2000;

const FRESH: Reading = {
  stale: false,
  options: { readPreference: ReadPreference.primary, readConcern: new ReadConcern('majority') },
};

/**
 * Reads for answers that must not fail when there is no majority: from the primary, and when there is none for a while from
 * this machine's own member, or any that answers.
 */
export class Reader {
  readonly #state: State;
  readonly #local: Reading;
  /** Nobody could be read from the primary last time; not waited for again while none is seen. */
  #without = false;

  constructor(state: State, machine: string) {
    this.#state = state;
    this.#local = {
      stale: true,
      options: {
        readPreference: new ReadPreference('nearest', [{ machine }, {}]),
        readConcern: new ReadConcern('local'),
      },
    };
  }

  /** `work` may run twice. Throws `no-quorum` when not even one member can be read. */
  async read<T>(work: (reading: Reading) => Promise<T>): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!this.#without || this.#state.primary() !== null) {
      const left = deadline - performance.now();
      if (left <= 0) break;
      const answer = await within(left, work(FRESH));
      if (answer !== null) {
        this.#without = false;
        return answer.value;
      }
      await sleep(20);
    }
    this.#without = true;
    const answer = await within(LOCAL_MS, work(this.#local));
    if (answer !== null) return answer.value;
    throw new QuorateError('no-quorum', 'No member of the replica set can be read at the moment.', {
      todo: 'Ask again, or ask another controller.',
    });
  }
}

/** The value in time; null when it takes too long or fails for a reason that passes. */
async function within<T>(ms: number, working: Promise<T>): Promise<{ value: T } | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  const settled = working.then(
    (value) => ({ value }),
    (error) => {
      if (isPassing(error)) return null;
      throw error;
    },
  );
  // One that is late ends by itself.
  settled.catch(() => undefined);
  try {
    return await Promise.race([settled, late]);
  } finally {
    clearTimeout(timer);
  }
}
