import { setTimeout as sleep } from 'node:timers/promises';
import { ReadConcern, ReadPreference } from 'mongodb';
import { QuorateError } from '../errors.js';
import type { MachineDocument, PresenceDocument } from '../state/documents.js';
import { isPassing } from '../state/passing.js';
import { readPresence } from '../state/presence.js';
import { OF_AGENTS } from '../state/roll.js';
import { StampedDocuments } from '../state/stamped.js';
import type { State } from '../state/state.js';

/** Options for a read, and whether what it finds may be old. */
export interface Reading {
  readonly stale: boolean;
  readonly options: { readonly readPreference: ReadPreference; readonly readConcern: ReadConcern };
  /** All of them, in no order; others read the same objects. */
  machines(): Promise<MachineDocument[]>;
  /** What was heard last of each agent. */
  presence(): Promise<PresenceDocument[]>;
}

/** How long a primary is waited for before a member's own view is taken: longer than any succession. */
const PATIENCE_MS = 2500;
const LOCAL_MS = 2000;

/**
 * Reads for answers that must not fail when there is no majority: from the primary, and when there is none for a while from
 * this machine's own member, or any that answers.
 */
export class Reader {
  readonly #state: State;
  readonly #fresh: Reading;
  readonly #local: Reading;
  readonly #machines: StampedDocuments<MachineDocument>;
  readonly #presence: StampedDocuments<PresenceDocument>;
  /** Nobody could be read from the primary last time; not waited for again while none is seen. */
  #without = false;

  constructor(state: State, machine: string) {
    this.#state = state;
    this.#machines = new StampedDocuments(state, state.machines, ['version']);
    // One that was closed and is there again counts from the start, at another time.
    this.#presence = new StampedDocuments(state, state.presence, ['seq', 'at'], OF_AGENTS);
    const fresh = { readPreference: ReadPreference.primary, readConcern: new ReadConcern('majority') };
    this.#fresh = {
      stale: false,
      options: fresh,
      machines: () => this.#machines.read(fresh),
      presence: () => this.#presence.read(fresh),
    };
    const local = {
      readPreference: new ReadPreference('nearest', [{ machine }, {}]),
      readConcern: new ReadConcern('local'),
    };
    this.#local = {
      stale: true,
      options: local,
      machines: () => state.machines.find({}, local).toArray(),
      presence: () => readPresence(state, {}, local),
    };
  }

  close(): void {
    this.#machines.close();
    this.#presence.close();
  }

  /** `work` may run twice. Throws `no-quorum` when not even one member can be read. */
  async read<T>(work: (reading: Reading) => Promise<T>): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!this.#without || this.#state.primary() !== null) {
      const left = deadline - performance.now();
      if (left <= 0) break;
      const answer = await within(left, work(this.#fresh));
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
