import { Context } from '@temporalio/activity';
import type { MachineDocument } from '../src/state/documents.js';
import { currentToken, follow } from '../src/state/follow.js';
import type { State } from '../src/state/state.js';
import type { Singleton } from '../src/temporal/names.js';
import type { Network } from './network.js';

/** One piece of work of a singleton, on one machine. */
export type Work =
  | { readonly kind: 'start'; readonly machine: string; readonly nonce: string }
  | { readonly kind: 'terminate'; readonly machine: string; readonly instance: string; readonly nonce: string }
  | { readonly kind: 'forget'; readonly machine: string };

/** What each singleton has to do, judged from the documents alone. */
const JUDGES: Record<Singleton, (machine: MachineDocument) => Work | null> = {
  provisioner: ({ _id: machine, life, instance, nonce }) => {
    if (life === 'alive' && instance === null) return { kind: 'start', machine, nonce };
    if (life === 'dead' && instance !== null && instance.state !== 'terminated') {
      return { kind: 'terminate', machine, instance: instance.id, nonce };
    }
    return null;
  },
  cleaner: ({ _id: machine, life, instance }) =>
    life === 'dead' && (instance === null || instance.state === 'terminated') ? { kind: 'forget', machine } : null,
};

/** The work there is on these machines; none while the environment is being destroyed. */
export function workOn(
  singleton: Singleton,
  machines: readonly MachineDocument[],
  resting: readonly string[],
): readonly Work[] {
  return machines.flatMap((machine) => (resting.includes(machine._id) ? [] : (JUDGES[singleton](machine) ?? [])));
}

const BEAT_MS = 500;

export type WorkActivities = ReturnType<typeof workActivities>;

export function workActivities({ state }: Network) {
  return {
    /**
     * Returns as soon as there is work, or with none after `forMs`. The change stream is opened before the documents are
     * read, so nothing that happens in between is missed and no place in the stream has to be handed on: whoever
     * continues after this worker reads the facts anew.
     */
    async followWork(input: {
      readonly singleton: Singleton;
      readonly resting: readonly string[];
      readonly forMs: number;
    }): Promise<readonly Work[]> {
      const context = Context.current();
      const over = new AbortController();
      const beat = setInterval(() => context.heartbeat(), BEAT_MS);
      const ends = setTimeout(() => over.abort(), input.forMs);
      const signal = AbortSignal.any([over.signal, context.cancellationSignal]);
      try {
        // A worker that leaves is not to wait for the database first.
        return await Promise.race([nextWork(state, input.singleton, input.resting, signal), context.cancelled]);
      } finally {
        clearInterval(beat);
        clearTimeout(ends);
        over.abort();
      }
    },
  };
}

async function nextWork(
  state: State,
  singleton: Singleton,
  resting: readonly string[],
  signal: AbortSignal,
): Promise<readonly Work[]> {
  const after = await currentToken(state, signal);
  if (after === null) return [];
  const events = follow(state, ['machines', 'environment'], { after, signal });
  for (;;) {
    const environment = await state.environment.findOne({});
    const machines = environment?.life === 'alive' ? await state.machines.find({}).toArray() : [];
    const works = workOn(singleton, machines, resting);
    if (works.length > 0 || (await events.next()).done) return works;
  }
}
