import type { Ping } from '../api/access.js';
import type { Change, Changes } from '../api/changes.js';
import type { ErrorBody } from '../api/errors.js';
import type { Addresses } from '../api/machines.js';
import { BEARER_PROTOCOL, CLOSE, WATCH_PROTOCOL } from '../api/protocol.js';
import type { Status } from '../api/status.js';
import type { Happening } from './model.js';
import { Waker } from './waker.js';

/** Lag, reachability and presence are no events; so often they are looked at while the page is. */
const BEAT_MS = 2000;
/** What is looked at may cost a tenth of the time. */
const COST = 10;
/** Events that come together are looked at together. */
const TOGETHER_MS = 250;
/** Longer than an API server waits for a primary before it tells what it remembers. */
const ANSWER_MS = 6000;
/** An answer that takes longer makes the page ask whether anybody is there. */
const DOUBT_MS = 1000;
const PING_MS = 1500;
/** A connection that ends sooner counts as one that never was. */
const SHORT_MS = 1000;
const PAUSES_MS = [0, 100, 250, 500, 1000];

type Told = Happening extends infer H ? (H extends unknown ? Omit<H, 'at'> : never) : never;

/** The controller is lost; another one is looked for. */
class Lost extends Error {}
/** Nobody will let this page in. */
class Refused extends Error {}

/**
 * The page's connection to the environment: to one controller at a time, and when that is lost to the first other one of
 * the address set that answers. The watch is opened before anything is read, so that nothing falls between the two.
 */
export class Connection {
  #addresses: readonly string[];
  #version = -1;
  #lost = '';
  /** The present controller has told something. */
  #served = false;

  /** @param home host:port of the controller that the page came from */
  constructor(
    private readonly token: string,
    private readonly home: string,
    private readonly tell: (happening: Told) => void,
  ) {
    this.#addresses = [home];
  }

  /** Runs until nobody lets it in any more. */
  async run(): Promise<void> {
    let shortLived = 0;
    let reason = '';
    for (;;) {
      await sleep(PAUSES_MS[Math.min(shortLived, PAUSES_MS.length - 1)] ?? 0);
      const { address, ping } = await this.#find(reason);
      const began = performance.now();
      try {
        await this.#serve(address, ping);
      } catch (error) {
        if (error instanceof Refused) return this.tell({ kind: 'refused', message: error.message });
        if (!(error instanceof Lost)) throw error;
        // A lost connection is made up for at once, one that never lasts is not asked for without pause.
        shortLived = performance.now() - began < SHORT_MS ? shortLived + 1 : 0;
        reason = this.#served ? '' : `machine ${ping.machine}: ${error.message}`;
        this.#lost = address;
        this.tell({ kind: 'lost', machine: ping.machine, reason: error.message });
      }
    }
  }

  /** The first that answers; the one that was just lost is asked again after the others. */
  async #find(reason: string): Promise<{ address: string; ping: Ping }> {
    for (let round = 0; ; round += 1) {
      await sleep(PAUSES_MS[Math.min(round, PAUSES_MS.length - 1)] ?? 0);
      const all = [...new Set([...this.#addresses, this.home])];
      const others = all.filter((address) => address !== this.#lost);
      const asked = round === 0 && others.length > 0 ? others : all;
      try {
        return await Promise.any(asked.map(async (address) => ({ address, ping: await pinged(address) })));
      } catch {
        // Not one of them: `Promise.any` fails only when all did, and a browser does not say why.
        this.tell({ kind: 'searching', tried: all, reason });
      }
    }
  }

  /** Follows one controller; throws `Lost` or `Refused` at its end. */
  async #serve(address: string, { machine, time }: Ping): Promise<never> {
    this.#served = false;
    const clockOffsetMs = time - Date.now();
    const wake = new Waker();
    let lost: string | null = null;
    const socket = new WebSocket(`wss://${address}/v1/watch`, [WATCH_PROTOCOL, BEARER_PROTOCOL + this.token]);
    const over = new AbortController();
    let addressesDue = true;
    let changesDue = true;
    socket.onclose = ({ code }) => {
      lost = code === CLOSE.leaving ? 'it left in order' : 'it closed the connection';
      wake.now();
    };
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data) as { kind: string; document: unknown };
      // Settings say nothing that is shown, and programs write them all the time.
      if (message.kind === 'setting') return;
      if (message.kind === 'change' && message.document !== null) {
        this.tell({ kind: 'change', change: message.document as Change });
      }
      if (message.kind === 'start') changesDue = true;
      if (message.kind === 'start' || message.kind === 'addresses') addressesDue = true;
      wake.now();
    };
    document.addEventListener('visibilitychange', () => wake.now(), { signal: over.signal });
    const get = async <T>(path: string) => await answered<T>(address, path, this.token, over.signal);
    try {
      // A browser does not say why it was refused: the next answer does.
      if (!(await opened(socket))) {
        await get<Addresses>('/v1/addresses');
        throw new Lost('it takes no watch');
      }
      for (let connected = false; ; connected = true) {
        if (lost !== null) throw new Lost(lost);
        const began = performance.now();
        if (addressesDue) {
          addressesDue = false;
          this.#learn(await get<Addresses>('/v1/addresses'));
        }
        const status = await get<Status>('/v1/status');
        this.#served = true;
        if (!connected) this.tell({ kind: 'connected', machine, address, clockOffsetMs });
        this.tell({ kind: 'status', status });
        if (changesDue) {
          changesDue = false;
          this.tell({ kind: 'changes', changes: (await get<Changes>('/v1/changes?limit=30')).changes });
        }
        const took = performance.now() - began;
        const pause = document.visibilityState === 'visible' ? Math.max(BEAT_MS, COST * took) : null;
        await wake.wait(pause);
        await sleep(TOGETHER_MS);
      }
    } finally {
      over.abort();
      socket.onclose = null;
      socket.onmessage = null;
      socket.close();
    }
  }

  #learn({ version, servers }: Addresses): void {
    if (version < this.#version || servers.length === 0) return;
    this.#version = version;
    this.#addresses = servers.map(({ api }) => api);
  }
}

async function pinged(address: string): Promise<Ping> {
  const answer = await fetch(`https://${address}/v1/ping`, { ...QUIETLY, signal: AbortSignal.timeout(PING_MS) });
  if (!answer.ok) throw new Lost(`it answers ${answer.status}`);
  return (await answer.json()) as Ping;
}

/** No credential but the token goes anywhere. */
const QUIETLY = { credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer' } as const;

/** One answer of the API. A controller that is slow to answer is asked whether it is there. */
async function answered<T>(address: string, path: string, token: string, over: AbortSignal): Promise<T> {
  const silent = new AbortController();
  const doubt = setTimeout(() => {
    pinged(address).catch(() => silent.abort());
  }, DOUBT_MS);
  try {
    const signal = AbortSignal.any([over, silent.signal, AbortSignal.timeout(ANSWER_MS)]);
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`https://${address}${path}`, { ...QUIETLY, headers, signal });
    if (answer.ok) return (await answer.json()) as T;
    const { message, todo } = (await answer.json()) as ErrorBody;
    if (answer.status === 401 || answer.status === 403) throw new Refused(`${message} ${todo}`);
    throw new Lost(`it said: ${message}`);
  } catch (error) {
    if (error instanceof Lost || error instanceof Refused) throw error;
    throw new Lost(silent.signal.aborted ? 'it fell silent' : 'it does not answer');
  } finally {
    clearTimeout(doubt);
  }
}

/** Whether it came to be open, in time. */
function opened(socket: WebSocket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.addEventListener('open', () => resolve(true));
    socket.addEventListener('close', () => resolve(false));
    setTimeout(() => resolve(false), ANSWER_MS);
  });
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
