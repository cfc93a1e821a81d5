import { setTimeout as sleep } from 'node:timers/promises';
import type { OperationReport, ToldOperation, ToldOperations } from '../api/agent-operations.js';
import type { ToldAuthority } from '../api/sockets.js';
import type { StatusReport, StatusTaken } from '../api/status-log.js';
import type { ApiClient, ControllerSocket } from '../client/client.js';
import { reasonOf } from '../errors.js';
import { packageVersion } from '../package.js';
import type { AgentReport } from '../state/documents.js';
import { SaidOnce } from './say.js';
import { parseTold, type ToldMachine } from './told.js';

export interface ConnectionOptions {
  readonly client: Pick<ApiClient, 'openAgentSocket'>;
  report(): AgentReport;
  /** What a controller says of this machine: at every connection, and whenever it changes. */
  onTold(told: ToldMachine): void;
  /** Whom the environment trusts, at every connection and with every step of a rotation. */
  onAuthority(told: ToldAuthority): void;
  /** The environment knows no such machine any more. */
  onGone(): void;
  /** Who hears of operations and reports on them. */
  readonly operations: {
    connected(send: (message: OperationReport) => boolean): void;
    hear(told: ToldOperations | ToldOperation): void;
    lost(): void;
  };
  /** Who has something to say of the machine's status, where a controller takes it. */
  readonly statusLog: {
    connected(send: (message: StatusReport) => boolean): void;
    hear(taken: StatusTaken): void;
    lost(): void;
  };
  /** Identifies one run of the agent. */
  readonly session: string;
}

/** Until the controller says otherwise, which older ones do not. */
const PRESENCE_MS = 1000;
const LONGEST_PAUSE_MS = 1000;
/** And where there are many agents, who would come again and again while none gets through. */
const LONGEST_AMONG_MANY_MS = 30_000;
const LASTED_MS = 2000;

/** The agent's standing connection to whichever controller answers: presence goes out, what changed comes in. */
export class Connection {
  readonly #closing = new AbortController();
  #socket: ControllerSocket | null = null;
  #seq = 0;
  #soon: NodeJS.Immediate | null = null;
  readonly #news = new SaidOnce();
  #beating: NodeJS.Timeout | null = null;
  /** Within how long it comes back after a connection that had lasted. */
  #returnWithinMs = 0;

  constructor(private readonly options: ConnectionOptions) {}

  /** Connects, and again whenever the connection is lost, until it is closed. */
  async run(): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted; ) {
      const began = performance.now();
      try {
        await this.#serve(await this.options.client.openAgentSocket({ signal }));
      } catch (error) {
        if (signal.aborted) return;
        this.#news.say(reasonOf(error), 'warn');
      }
      // A connection that had lasted is replaced at once, or as soon as it may where there are many others; one that ends as
      // soon as it begins is not knocked for.
      failures = performance.now() - began > LASTED_MS ? 0 : failures + 1;
      const alone = failures === 0 ? 0 : Math.min(25 * 2 ** failures, LONGEST_PAUSE_MS);
      const amongMany = Math.min(this.#returnWithinMs * 2 ** failures, LONGEST_AMONG_MANY_MS);
      await sleep(Math.max(alone, amongMany) * Math.random(), undefined, { signal }).catch(() => {});
    }
  }

  /** Reports now instead of at the next beat. */
  beat(): void {
    this.#soon ??= setImmediate(() => {
      this.#soon = null;
      this.#present();
    });
  }

  /** Another connection takes the place of this one: what it was let in with is about to count no more. */
  renew(): void {
    this.#socket?.close();
  }

  /** Says a last time how things are, and leaves. */
  close(): void {
    this.#present();
    this.#closing.abort();
    this.#socket?.close();
  }

  /** Resolves when the connection has ended. */
  async #serve(socket: ControllerSocket): Promise<void> {
    const closed = new Promise<string>((resolve) => socket.onClose(resolve));
    socket.onMessage((message) => this.#hear(message));
    this.#socket = socket;
    socket.send({ type: 'hello', session: this.options.session, version: packageVersion() });
    this.#present();
    this.options.operations.connected((message) => socket.send(message));
    this.options.statusLog.connected((message) => socket.send(message));
    this.#beatEvery(PRESENCE_MS);
    this.#news.say(`connected to machine ${socket.machine} at ${socket.address}`);
    const reason = await closed;
    this.#beatEvery(null);
    this.#socket = null;
    this.options.operations.lost();
    this.options.statusLog.lost();
    if (!this.#closing.signal.aborted)
      this.#news.say(`connection to machine ${socket.machine} lost: ${reason}`, 'warn');
  }

  #beatEvery(ms: number | null): void {
    if (this.#beating !== null) clearInterval(this.#beating);
    this.#beating = ms === null ? null : setInterval(() => this.#present(), ms);
  }

  #present(): void {
    if (this.#socket === null) return;
    this.#seq += 1;
    this.#socket.send({ type: 'presence', seq: this.#seq, report: this.options.report() });
  }

  #hear(message: unknown): void {
    const told = parseTold(message);
    if (told === null) return;
    if (told.type === 'gone') {
      this.close();
      this.options.onGone();
    }
    if (told.type === 'machine') this.options.onTold(told);
    if (told.type === 'authority') this.options.onAuthority(told);
    if (told.type === 'pace') {
      this.#beatEvery(told.beatMs);
      this.#socket?.useHeartbeat(told.heartbeatMs, told.silentMs);
      this.#returnWithinMs = told.returnWithinMs;
    }
    if (told.type === 'operations' || told.type === 'operation') this.options.operations.hear(told);
    if (told.type === 'status-log') this.options.statusLog.hear(told);
  }
}
