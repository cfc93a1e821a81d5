/** Clients that insert with majority without pause, who remember what was acknowledged and how long the longest pause was. */
import { MongoClient, MongoServerError } from 'mongodb';
import type { Identity } from '../../src/pki/identity.js';
import { REPLICA_SET } from '../../src/replicaset/parameters.js';

export class Writer {
  readonly acknowledged = new Set<number>();
  readonly errors: Record<string, number> = {};
  readonly #client: MongoClient;
  readonly #loops: Promise<void>[];
  #on = true;
  #next = 0;
  #last = performance.now();
  #gap = 0;

  private constructor(client: MongoClient, count: number) {
    this.#client = client;
    this.#loops = Array.from({ length: count }, () => this.#write());
  }

  static async start(hosts: readonly string[], identity: Identity, count = 2): Promise<Writer> {
    const { ca, certificate: cert, key } = identity;
    const client = new MongoClient(`mongodb://${hosts.join(',')}/`, {
      ...{ tls: true, ca, cert, key, authMechanism: 'MONGODB-X509', authSource: '$external' },
      ...{ replicaSet: REPLICA_SET, heartbeatFrequencyMS: 500, connectTimeoutMS: 500, minPoolSize: 2 },
      ...{ serverSelectionTimeoutMS: 30_000, writeConcern: { w: 'majority', journal: true } },
    });
    await client.db('quorate').createCollection('writes');
    return new Writer(client, count);
  }

  /** The longest time between two acknowledged writes, in whole milliseconds; and begin anew. */
  gap(): number {
    const gap = Math.max(this.#gap, performance.now() - this.#last);
    this.#gap = 0;
    return Math.round(gap);
  }

  /** Stops writing and answers how many acknowledged writes cannot be read back. */
  async lost(): Promise<number> {
    await this.stop();
    const found = await this.#client.db('quorate').collection<{ _id: number }>('writes').find().toArray();
    const there = new Set(found.map(({ _id }) => _id));
    return [...this.acknowledged].filter((id) => !there.has(id)).length;
  }

  async stop(): Promise<void> {
    this.#on = false;
    await Promise.all(this.#loops);
  }

  async close(): Promise<void> {
    this.#on = false;
    await this.#client.close(true);
    await Promise.allSettled(this.#loops);
  }

  async #write(): Promise<void> {
    const writes = this.#client.db('quorate').collection<{ _id: number }>('writes');
    while (this.#on) {
      const _id = this.#next++;
      try {
        await writes.insertOne({ _id });
        this.acknowledged.add(_id);
        const now = performance.now();
        this.#gap = Math.max(this.#gap, now - this.#last);
        this.#last = now;
      } catch (error) {
        const code = error instanceof MongoServerError ? String(error.code) : (error as Error).name;
        this.errors[code] = (this.errors[code] ?? 0) + 1;
      }
    }
  }
}
