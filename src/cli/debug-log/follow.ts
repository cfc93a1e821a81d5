import { setTimeout as sleep } from 'node:timers/promises';
import type { Log, LogLine } from '../../api/log.js';
import type { ApiServerAddress, Ask, Asked } from '../../client/each.js';
import { inOrder } from '../../log/entries.js';
import { queryOf, type Wanted } from './query.js';

/** A new line is shown after both at the latest, and what the network takes. */
const POLL_MS = 400;
/** Lines that come from several controllers in this time are put in order. */
const GATHER_MS = 200;
const AGAIN_MS = 1000;
/** How often it is asked who the controllers are. */
const LOOK_MS = 5000;
/** What a controller writes between two polls. */
const AT_ONCE = 2000;

export interface Followed {
  readonly wanted: Wanted;
  /** The controllers as they are now. */
  readonly servers: () => Promise<readonly ApiServerAddress[]>;
  /** Asks one of them, over one connection for as long as `work` takes. */
  readonly ask: (server: ApiServerAddress, work: (ask: Ask) => Promise<void>) => Promise<Asked<void>>;
  readonly show: (lines: readonly LogLine[]) => void;
  readonly note: (sentence: string) => void;
  readonly signal: AbortSignal;
}

/** Shows what all controllers write from now on, also those that come while it is followed, until the signal. */
export async function followLogs(
  { wanted, servers, ask, show, note, signal }: Followed,
  /** Where each is to be gone on from, by machine. */
  cursors: ReadonlyMap<string, string>,
): Promise<void> {
  const began = performance.now();
  const followed = new Map<string, { leave: () => void }>();
  let gathered: LogLine[] = [];
  const flushing = setInterval(() => {
    if (gathered.length > 0) show(inOrder(gathered));
    gathered = [];
  }, GATHER_MS);

  const follow = async (server: ApiServerAddress, left: AbortSignal) => {
    const { machine } = server;
    let cursor = cursors.get(machine);
    let lost = '';
    let heard = false;
    while (!left.aborted) {
      const { problem } = await ask(server, async (get) => {
        while (!left.aborted) {
          // Of one that was not heard yet: what it wrote since the beginning.
          const seconds = cursor === undefined ? (performance.now() - began) / 1000 : null;
          const log: Log = await get<Log>(
            queryOf({
              level: wanted.level,
              limit: AT_ONCE,
              seconds,
              ...(cursor === undefined ? {} : { after: cursor }),
            }),
          );
          if (lost !== '') note(`machine ${machine} answers again`);
          lost = '';
          heard = true;
          cursor = log.cursor;
          gathered.push(...log.lines);
          await sleep(POLL_MS, undefined, { signal: left }).catch(() => undefined);
        }
      });
      if (heard) {
        // A connection that ended says nothing of its controller: whether that can be asked, the next one says.
        heard = false;
        continue;
      }
      if (problem !== '' && problem !== lost && !left.aborted) note(`machine ${machine} cannot be asked: ${problem}`);
      lost = problem;
      await sleep(AGAIN_MS, undefined, { signal: left }).catch(() => undefined);
    }
  };

  try {
    while (!signal.aborted) {
      const now = await servers().catch(() => null);
      for (const server of now ?? []) {
        if (followed.has(server.machine)) continue;
        const leaving = new AbortController();
        followed.set(server.machine, { leave: () => leaving.abort() });
        void follow(server, AbortSignal.any([signal, leaving.signal]));
      }
      for (const [machine, { leave }] of followed) {
        if (now === null || now.some((server) => server.machine === machine)) continue;
        leave();
        followed.delete(machine);
        note(`machine ${machine} is no controller any more`);
      }
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    clearInterval(flushing);
    if (gathered.length > 0) show(inOrder(gathered));
  }
}
