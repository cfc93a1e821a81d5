import { ActivityFailure, isCancellation, patched } from '@temporalio/workflow';
import { network } from './activities.js';

/** The setting is read again after so long: what is watched takes five minutes at most. */
const READ_AGAIN_MS = 60_000;

/**
 * How soon another worker takes over what a singleton watches (setting `takeover`): its watches are given up when heartbeats
 * stay away for that time, so it decides how often they heartbeat. As their classes have it until it was read once.
 */
export class Takeover {
  #readAt: number | null;

  /** @param ms as the run before has read it */
  constructor(
    private readonly key: string,
    private ms: number | undefined,
  ) {
    this.#readAt = ms === undefined ? null : Date.now();
  }

  /** For watches of class `follow`, of which some heartbeats are lost with a worker and some while Temporal tries again. */
  get follow() {
    return this.ms === undefined ? {} : { heartbeatTimeout: this.ms / 2 };
  }

  /** For those of class `watch`. */
  get watch() {
    return this.ms === undefined ? {} : { heartbeatTimeout: this.ms };
  }

  /** For the input of the next run. */
  get carried() {
    return this.ms === undefined ? {} : { takeoverMs: this.ms };
  }

  /** Reads it where that was not done for a while. When nobody can say it stays what it was. */
  async refresh(): Promise<void> {
    if (this.#readAt !== null && Date.now() - this.#readAt < READ_AGAIN_MS) return;
    if (!patched('takeover')) return;
    // Whoever knows nothing yet has nothing under way that would wait for it.
    const as = this.ms === undefined ? 'bounded' : 'glance';
    const { readTakeover } = network(this.key, { as, summary: 'read how soon watches are to be taken over' });
    try {
      this.ms = await readTakeover();
      this.#readAt = Date.now();
    } catch (error) {
      if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    }
  }
}
