import { serverName } from '../pki/certificate.js';
import { decode } from './answer.js';
import { Deadline } from './deadline.js';
import { Dialer, type TlsFiles } from './dial.js';
import { dialFailure } from './failures.js';
import { Link } from './link.js';
import { race, STAGGER_MS } from './race.js';

/** One of an environment's API servers. */
export interface ApiServerAddress {
  readonly machine: string;
  /** host:port */
  readonly api: string;
  /** The same for those outside of the cloud's network; left out where that is no other. */
  readonly public?: string;
}

/** What one API server answered, or why it did not. */
export type Asked<T> = ApiServerAddress &
  ({ readonly answer: T; readonly problem: '' } | { readonly answer: null; readonly problem: string });

export interface AskEachOptions {
  readonly environment: { readonly uuid: string; readonly name: string };
  readonly tls: TlsFiles;
  /** Bearer token, for who shows no certificate. */
  readonly token?: string;
  readonly servers: readonly ApiServerAddress[];
  /** For each of them, all at once. */
  readonly timeoutMs?: number;
  /** For each connection; as long as for all of it when left out. */
  readonly dialMs?: number;
}

/** Reads from this one controller. */
export type Ask = <B>(path: string) => Promise<B>;

/** Long, for what is asked takes its time to look: a busy machine is not a silent one. */
const HEARTBEAT_MS = 1500;
const TIMEOUT_MS = 8000;

/**
 * Asks every API server itself, where a request of the client goes to whichever answers first. Who cannot be asked holds
 * up nobody.
 */
export function askEach<T>(options: AskEachOptions, work: (ask: Ask) => Promise<T>): Promise<Asked<T>[]> {
  const { environment, tls, token, timeoutMs = TIMEOUT_MS } = options;
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const dialer = new Dialer({ environment, tls, timeoutMs: options.dialMs ?? timeoutMs });
  const host = serverName(environment.uuid);
  return Promise.all(
    options.servers.map(async (server): Promise<Asked<T>> => {
      const { machine, api } = server;
      const deadline = new Deadline(timeoutMs);
      try {
        const connected = await eitherOf(dialer, server, deadline.signal);
        const link = new Link(connected, { dialer, host, heartbeatMs: HEARTBEAT_MS });
        try {
          if (connected.machine !== machine) throw new Error(`machine ${connected.machine} answers there`);
          const { signal } = deadline;
          const ask = async <B>(path: string) =>
            decode<B>(await link.send({ method: 'GET', path, headers, body: undefined, signal }));
          return { machine, api, answer: await work(ask), problem: '' };
        } finally {
          link.destroy('not needed any more');
        }
      } catch (error) {
        const problem = deadline.passed ? `no answer in ${timeoutMs / 1000} s` : dialFailure(error);
        return { machine, api, answer: null, problem };
      } finally {
        deadline.end();
      }
    }),
  );
}

/** By whichever of its addresses leads to it: nobody knows on which side of its network we are. */
async function eitherOf(dialer: Dialer, { api, public: outside }: ApiServerAddress, over: AbortSignal) {
  if (outside === undefined) return await dialer.dial(api, over);
  let failure: unknown;
  const won = await race([api, outside], {
    staggerMs: STAGGER_MS,
    dial: (address, signal) => dialer.dial(address, AbortSignal.any([signal, over])),
    onFailure: (_, error) => {
      failure = error;
    },
    discard: ({ socket }) => socket.destroy(),
  });
  if (won === null) throw failure;
  return won.value;
}
