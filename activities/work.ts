import { Context } from '@temporalio/activity';
import type { MachineDocument } from '../src/state/documents.js';
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
      const ends = performance.now() + input.forMs;
      const beat = setInterval(() => context.heartbeat(), BEAT_MS);
      const stream = state.machines.watch([], { maxAwaitTimeMS: 1000 });
      const stop = () => void stream.close();
      context.cancellationSignal.addEventListener('abort', stop, { once: true });
      try {
        // Opens the cursor: what follows is later than what is read next.
        let changed = await stream.tryNext();
        for (;;) {
          const environment = await state.environment.findOne({});
          const machines = environment?.life === 'alive' ? await state.machines.find({}).toArray() : [];
          const works = workOn(input.singleton, machines, input.resting);
          if (works.length > 0) return works;
          do {
            context.cancellationSignal.throwIfAborted();
            if (performance.now() >= ends) return [];
            changed = await stream.tryNext();
          } while (changed === null);
        }
      } catch (error) {
        // Closing the stream fails its pending read; the reason is the cancellation.
        context.cancellationSignal.throwIfAborted();
        throw error;
      } finally {
        clearInterval(beat);
        context.cancellationSignal.removeEventListener('abort', stop);
        await stream.close();
      }
    },
  };
}
