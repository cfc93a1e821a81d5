/** The watch on one member's mongod: whether it answers, and the moment at which it is gone. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MongoClient } from 'mongodb';
import type { OpTime } from '../../membership/types.js';
import type { Identity } from '../../pki/identity.js';
import { adminCommand, directClient } from '../../replicaset/connect.js';
import { type Hello, lastWritten } from '../../replicaset/wire.js';

const ASK_EVERY_MS = 100;
/** A process that was killed lets go of its port a moment after its connections. */
const KNOCKS = 5;
const KNOCK_EVERY_MS = 10;

export interface Hears {
  answered(optime: OpTime | null): void;
  /** The connection was closed, and a new one is refused. */
  refused(): void;
}

export class Watch {
  readonly #host: string;
  readonly #hears: Hears;
  readonly #client: MongoClient;
  readonly #timer: NodeJS.Timeout;
  #asking = false;
  #knocking = false;
  #closed = false;

  constructor(host: string, identity: Identity, hears: Hears) {
    this.#host = host;
    this.#hears = hears;
    // Patient with silence, which is judged elsewhere: an answer on the same connection says that it was alive.
    const patience = { connectTimeoutMS: 5000, serverSelectionTimeoutMS: 5000 };
    this.#client = directClient(host, identity, { ...patience, maxPoolSize: 1 });
    // The driver's own heartbeat keeps a connection on which the end of the process shows at once.
    this.#client.on('serverHeartbeatFailed', () => void this.#knock());
    this.#timer = setInterval(() => void this.#ask(), ASK_EVERY_MS);
    void this.#ask();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#client.close(true);
  }

  async #ask(): Promise<void> {
    if (this.#asking || this.#closed) return;
    this.#asking = true;
    try {
      const hello = (await adminCommand(this.#client, { hello: 1 })) as unknown as Hello;
      if (!this.#closed) this.#hears.answered(lastWritten(hello));
    } catch {
      // No answer. Whether the process is gone is seen from its port.
      void this.#knock();
    } finally {
      this.#asking = false;
    }
  }

  async #knock(): Promise<void> {
    if (this.#knocking || this.#closed) return;
    this.#knocking = true;
    for (let knock = 0; knock < KNOCKS && !this.#closed; knock++) {
      if (knock > 0) await sleep(KNOCK_EVERY_MS);
      if (await refuses(this.#host)) {
        if (!this.#closed) this.#hears.refused();
        break;
      }
    }
    this.#knocking = false;
  }
}

/** Whether the host is there and nobody listens: no answer at all is something else. */
function refuses(host: string): Promise<boolean> {
  const [address, port] = host.split(':') as [string, string];
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: Number(port), timeout: 500 });
    const end = (refused: boolean) => {
      socket.destroy();
      resolve(refused);
    };
    socket.once('connect', () => end(false));
    socket.once('timeout', () => end(false));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code === 'ECONNREFUSED'));
  });
}
