import { randomUUID } from 'node:crypto';
import type { Roll } from '../state/roll.js';
import { isOutgrown } from './pace.js';

/** What is needed of a WebSocket. */
export interface Line {
  on(event: 'message' | 'ping' | 'pong', listener: () => void): unknown;
  once(event: 'close', listener: () => void): unknown;
  ping(): void;
  terminate(): void;
}

/** An agent that is connected here and does not beat for itself. */
export interface Present {
  readonly machine: string;
  readonly socket: Line;
  /** How often it is looked whether anything was heard of it. */
  heartbeatMs(): number;
  /** How many agents there are is another number than it was told. */
  onNumber(agents: number): void;
}

interface Seen {
  readonly present: Present;
  heard: boolean;
  /** Milliseconds that nothing was heard, counted by looks: one that comes late counts as one. */
  silentMs: number;
}

const LOOK_MS = 500;
/** So many of its heartbeats without a sign of it: then it is asked, as one may be that does not ask by itself. */
const ASKED = 1.5;
/** And then it is dropped. */
const DROPPED = 3;
/**
 * So many may be dropped in one look, of those that are here. Where more are silent at once it is this machine that has too
 * much to do, or theirs; all of them coming back at once would be the end of both.
 */
const MOST_DROPPED = { least: 3, share: 0.01 };

/**
 * Whose agents are connected to this API server. They are there as long as the connection lives and something comes over
 * it; one that says nothing is dropped, and has to connect anew to count again.
 */
export class RollCall {
  readonly #session = randomUUID();
  readonly #seen = new Map<Line, Seen>();
  readonly #byMachine = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  #version = 0;
  #list: readonly string[] | null = null;
  /** The number of agents that those here were told. */
  #told = 1;

  /** @param agents how many there are in the environment, as far as this controller knows */
  constructor(private readonly agents: () => number) {
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /** Agents of the environment, those that came here just now among them. */
  get number(): number {
    return Math.max(this.agents(), this.#byMachine.size);
  }

  get size(): number {
    return this.#byMachine.size;
  }

  /** As it is to be written. */
  roll(): Roll {
    this.#list ??= [...this.#byMachine.keys()];
    return { session: this.#session, version: this.#version, machines: [...this.#list] };
  }

  has(socket: Line): boolean {
    return this.#seen.has(socket);
  }

  /** From now on, until the connection ends or it is struck. */
  add(present: Present): void {
    const { socket } = present;
    if (this.#seen.has(socket)) return;
    const seen: Seen = { present, heard: true, silentMs: 0 };
    const hear = () => {
      seen.heard = true;
    };
    this.#seen.set(socket, seen);
    for (const event of ['message', 'ping', 'pong'] as const) socket.on(event, hear);
    socket.once('close', () => this.strike(socket));
    this.#count(present.machine, 1);
  }

  strike(socket: Line): void {
    const seen = this.#seen.get(socket);
    if (seen === undefined) return;
    this.#seen.delete(socket);
    this.#count(seen.present.machine, -1);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #count(machine: string, by: 1 | -1): void {
    const sockets = (this.#byMachine.get(machine) ?? 0) + by;
    if (sockets === 0) this.#byMachine.delete(machine);
    else this.#byMachine.set(machine, sockets);
    if (sockets > 1 || (sockets === 1 && by === -1)) return;
    this.#list = null;
    this.#version += 1;
  }

  #look(): void {
    const news = isOutgrown(this.#told, this.number);
    if (news) this.#told = this.number;
    let dropped = 0;
    const most = Math.max(MOST_DROPPED.least, MOST_DROPPED.share * this.#seen.size);
    for (const [socket, seen] of this.#seen) {
      if (news) seen.present.onNumber(this.#told);
      seen.silentMs = seen.heard ? 0 : seen.silentMs + LOOK_MS;
      seen.heard = false;
      const heartbeatMs = seen.present.heartbeatMs();
      if (seen.silentMs >= DROPPED * heartbeatMs && dropped < most) {
        dropped += 1;
        this.strike(socket);
        socket.terminate();
      } else if (seen.silentMs >= ASKED * heartbeatMs) socket.ping();
    }
  }
}
