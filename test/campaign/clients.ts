import { randomUUID } from 'node:crypto';
import type { ApiClient } from '../../src/client/client.js';
import { QuorateError } from '../../src/errors.js';
import { ELEMENT_SEPARATOR, elementsOf, type Outcome, type Read, type Write } from './history.js';

/** After so many writes a list or register is left and the next one begun: values stay short, checks stay quick. */
const GENERATION = 300;
/** How long a client waits for an answer before it takes the outcome for unknown. */
const PATIENCE_MS = 30_000;
/** Between two operations of a client, so that the machine has time for everybody else. */
const PAUSE_MS = 30;

interface Answered {
  readonly version: number;
  readonly value: string;
}

/** What a client takes a key to be. */
interface Known extends Answered {
  readonly key: string;
}

/** Shared by the clients of one list or register. */
interface Place {
  readonly name: string;
  generation: number;
}

/** Errors that say for certain that nothing was done and nothing will be. */
const FAILED = new Set(['conflict']);
/** Errors that an environment under faults may answer with: the outcome is unknown. */
const UNKNOWN = new Set([
  'unknown-outcome',
  'timed-out',
  'no-controller',
  'no-quorum',
  'overwritten',
  'too-many',
  'leaving',
  'closed',
]);

/**
 * Clients that write and read settings through the API as fast as they are answered, and record every operation: one
 * inserts keys of its own, two append to a list, four compare and set two registers.
 */
export class Clients {
  readonly operations: (Write | Read)[] = [];
  /** Answers that no fault explains. */
  readonly defects: string[] = [];
  readonly #prefix: string;
  readonly #open: () => Promise<ApiClient>;
  #running = false;
  #loops: Promise<void>[] = [];
  #nextClient = 0;

  /**
   * @param prefix of all keys they write
   * @param open gives a client of its own to each
   */
  constructor(prefix: string, open: () => Promise<ApiClient>) {
    this.#prefix = prefix;
    this.#open = open;
  }

  get setPrefix(): string {
    return `${this.#prefix}set-`;
  }

  get listPrefix(): string {
    return `${this.#prefix}list-`;
  }

  get registerPrefix(): string {
    return `${this.#prefix}register-`;
  }

  start(): void {
    this.#running = true;
    const list = { name: `${this.listPrefix}0`, generation: 0 };
    const registers = [0, 1].map((index) => ({ name: `${this.registerPrefix}${index}`, generation: 0 }));
    this.#loops = [
      this.#client((api, id) => this.#insert(api, id)),
      ...[list, list].map((place) => this.#client((api, id) => this.#change(api, id, place, 'list'))),
      ...[...registers, ...registers].map((place) =>
        this.#client((api, id) => this.#change(api, id, place, 'register')),
      ),
    ];
  }

  /** Ends after the operations under way. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
  }

  async #client(work: (api: ApiClient, id: number) => Promise<void>): Promise<void> {
    const id = this.#nextClient++;
    const api = await this.#open();
    try {
      await work(api, id);
    } finally {
      await api.close();
    }
  }

  async #insert(api: ApiClient, client: number): Promise<void> {
    for (let index = 0; this.#running; index++) {
      const key = `${this.setPrefix}${String(index).padStart(7, '0')}`;
      await this.#write(api, client, { key, version: 0, value: `${client}.${index}` });
      await pause();
    }
  }

  /** Reads, writes what comes next if nobody was faster, and goes on from what it wrote; reads again when it does not know. */
  async #change(api: ApiClient, client: number, place: Place, kind: 'list' | 'register'): Promise<void> {
    let known: Known | null = null;
    for (let index = 0; this.#running; index++) {
      const key = `${place.name}-${place.generation}`;
      known = await this.#next(api, client, known?.key === key ? known : null, key, `${client}.${index}`, kind);
      if (known && known.version >= GENERATION && key === `${place.name}-${place.generation}`) place.generation += 1;
      await pause();
    }
  }

  /** One read if need be, one write. @returns what the key is now, if that is known */
  async #next(
    api: ApiClient,
    client: number,
    known: Known | null,
    key: string,
    element: string,
    kind: 'list' | 'register',
  ): Promise<Known | null> {
    const from = known ?? (await this.#known(api, client, key));
    if (from === null) return null;
    const value = kind === 'list' ? [...elementsOf(from.value), element].join(ELEMENT_SEPARATOR) : element;
    const wanted = { key, version: from.version, value, ...(kind === 'list' ? { element } : {}) };
    const outcome = await this.#write(api, client, wanted);
    return outcome === 'ok' ? { key, version: from.version + 1, value } : null;
  }

  /** @returns null when there was no answer */
  async #known(api: ApiClient, client: number, key: string): Promise<Known | null> {
    const found = await this.#read(api, client, key);
    return found && { key, ...found };
  }

  async #write(
    api: ApiClient,
    client: number,
    write: Pick<Write, 'key' | 'version' | 'value' | 'element'>,
  ): Promise<Outcome> {
    const { key, version, value } = write;
    const invokedAt = performance.now();
    const ended = await this.#outcome(async () => {
      const body = { value, version };
      const options = { body, idempotencyKey: randomUUID(), timeoutMs: PATIENCE_MS };
      const { body: answer } = await api.request<Answered>('PUT', `/v1/settings/${key}`, options);
      if (answer.version !== version + 1)
        this.defects.push(`${key}: a write of version ${version + 1} was answered as ${answer.version}`);
    });
    this.operations.push({ kind: 'write', client, ...write, invokedAt, returnedAt: performance.now(), ...ended });
    return ended.outcome;
  }

  /** @returns null when there was no answer */
  async #read(api: ApiClient, client: number, key: string): Promise<Answered | null> {
    const invokedAt = performance.now();
    let answer: Answered | null = null;
    const ended = await this.#outcome(async () => {
      answer = (await api.request<Answered>('GET', `/v1/settings/${key}?absent=empty`, { timeoutMs: PATIENCE_MS }))
        .body;
    });
    const found = answer as Answered | null;
    const { version, value } = found ?? { version: 0, value: '' };
    this.operations.push({
      kind: 'read',
      client,
      key,
      version,
      value,
      invokedAt,
      returnedAt: performance.now(),
      ...ended,
    });
    return found;
  }

  async #outcome(work: () => Promise<void>): Promise<{ outcome: Outcome; why: string }> {
    try {
      await work();
      return { outcome: 'ok', why: '' };
    } catch (error) {
      const why = error instanceof QuorateError ? error.code : String((error as Error).stack ?? error);
      if (FAILED.has(why)) return { outcome: 'fail', why };
      if (!UNKNOWN.has(why)) this.defects.push(error instanceof QuorateError ? `${error.code}: ${error.message}` : why);
      // Nobody answers: not worth a hot loop.
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { outcome: 'unknown', why };
    }
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}

/** All settings under a prefix, from the primary. */
export async function readAll(api: ApiClient, prefix: string): Promise<Map<string, Answered>> {
  const found = new Map<string, Answered>();
  for (let after = ''; ; ) {
    const query = new URLSearchParams({ prefix, limit: '1000', ...(after ? { after } : {}) });
    const { body } = await api.request<{ settings: (Answered & { key: string })[]; next: string | null }>(
      'GET',
      `/v1/settings?${query}`,
    );
    for (const { key, version, value } of body.settings) found.set(key, { version, value });
    if (body.next === null) return found;
    after = body.next;
  }
}
