import type { Singleton } from './names.js';

/** The activity that each singleton waits in, round after round. */
export const WATCHES: Readonly<Record<Singleton, string>> = {
  provisioner: 'followWork',
  firewaller: 'followWork',
  cleaner: 'followWork',
  publisher: 'followWork',
  sentinel: 'watchEvidence',
};

/** How workers name themselves to Temporal: `412@machine 1`, `388@engine`. */
export const workerIdentity = (pid: number, where: string): string => `${pid}@${where}`;

/** Whether a worker's name is one of a controller's. Pure. */
export const isController = (identity: string): boolean => /^\d+@machine /.test(identity);

/** Why a watch went from one worker to another. */
export type Why = 'a new round' | 'its worker was lost' | 'its worker left' | 'it failed' | 'it was tried again';

/** What the signal of that name tells; both times ISO 8601, by Temporal's clock as long as that still knows them. */
export interface HandedOver {
  readonly from: string;
  readonly to: string;
  readonly heardAt: string;
  readonly tookAt: string;
  readonly why: Why;
}
