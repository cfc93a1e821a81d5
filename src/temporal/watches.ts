import type { Singleton } from './names.js';

/** The activity that each singleton waits in, round after round. */
export const WATCHES: Readonly<Record<Singleton, string>> = {
  provisioner: 'followWork',
  cleaner: 'followWork',
  publisher: 'followWork',
  sentinel: 'watchEvidence',
};

/** How workers name themselves to Temporal: `412@machine 1`, `388@engine`. */
export const workerIdentity = (pid: number, where: string): string => `${pid}@${where}`;

/** Why a watch went from one worker to another. */
export type Why = 'a new round' | 'its worker was lost' | 'its worker left' | 'it failed';

/** What the signal of that name tells; both times by Temporal's clock, ISO 8601. */
export interface HandedOver {
  readonly from: string;
  readonly to: string;
  readonly heardAt: string;
  readonly tookAt: string;
  readonly why: Why;
}
