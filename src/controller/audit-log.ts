import { randomUUID } from 'node:crypto';
import { reasonOf } from '../errors.js';
import { log } from '../log/log.js';
import { insertOnce } from '../state/insert-once.js';
import { persist } from '../state/retry.js';
import { prepareCollection } from '../state/schema.js';
import { databaseTime, type State } from '../state/state.js';
import type { AuditDocument } from '../state/user-documents.js';
import { type Answered, auditEntry } from './audited.js';
import { Rate } from './rate.js';

const EVERY_MS = 500;
/** Entries that wait for the database; what comes on top is counted and told on the log. */
const LONGEST_QUEUE = 10_000;
const BATCH = 1000;
const WRITE_MS = 15_000;
const LAST_WRITE_MS = 800;

type Waiting = Omit<AuditDocument, 'at'> & { readonly monotonic: number };

/**
 * The audit log as one controller writes it: after the answers, in batches. Over a lost majority entries wait; a controller
 * that is killed loses those of its last half second.
 */
export class AuditLog {
  readonly #refusals = new Rate({ perSecond: 1, burst: 60 });
  readonly #timer: NodeJS.Timeout;
  #queue: Waiting[] = [];
  #writing: Promise<void> | null = null;
  #dropped = 0;
  #prepared = false;

  constructor(
    private readonly state: State,
    private readonly machine: string,
  ) {
    this.#timer = setInterval(() => this.#flush(WRITE_MS), EVERY_MS).unref();
  }

  /** Takes an answer that was given. */
  answered(answered: Answered): void {
    const entry = auditEntry(answered);
    if (entry === null) return;
    const now = performance.now();
    // Who is refused over and over fills no database with it.
    const counted = entry.code === '' || this.#refusals.take(`${entry.user} ${entry.from}`, now);
    if (counted && this.#queue.length < LONGEST_QUEUE) {
      this.#queue.push({ _id: randomUUID(), machine: this.machine, ...entry, monotonic: now });
    } else this.#dropped += 1;
  }

  /** Writes what is left, in the time that a leaving controller has. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
    await this.#flush(LAST_WRITE_MS);
  }

  #flush(limitMs: number): Promise<void> {
    this.#writing ??= this.#write(limitMs).finally(() => {
      this.#writing = null;
    });
    return this.#writing;
  }

  async #write(limitMs: number): Promise<void> {
    if (this.#dropped > 0) console.warn(`audit: ${this.#dropped} entries were not kept: too many at once`);
    this.#dropped = 0;
    try {
      while (this.#queue.length > 0) {
        const batch = this.#queue.slice(0, BATCH);
        await persist(this.state, () => this.#writeBatch(batch), limitMs);
        this.#queue = this.#queue.slice(batch.length);
      }
    } catch (error) {
      // They stay in the queue; the next flush tries again.
      console.warn(`audit: ${this.#queue.length} entries could not be written yet: ${reasonOf(error)}`);
    }
  }

  /** Times are the database's, so that entries of several controllers are in order. */
  async #writeBatch(batch: readonly Waiting[]): Promise<void> {
    // An environment that was seeded by an older version has none, and one that is made by the way is never cleared.
    if (!this.#prepared) await prepareCollection(this.state.db, 'audit');
    this.#prepared = true;
    const now = (await databaseTime(this.state)).getTime();
    const then = performance.now();
    const entries = batch.map(({ monotonic, ...entry }) => ({ ...entry, at: new Date(now - (then - monotonic)) }));
    const refused = await insertOnce(this.state.audit, entries);
    if (refused > 0) log().error(`audit: ${refused} entries are none, and were not kept; it is a defect`);
  }
}
