import type { ChangeStep } from '../state/documents.js';

/** What a change answers when asked how far it is (query `progress`); plain JSON. */
export interface Progress {
  /** enable-ha, disable-ha, bootstrap, destroy. */
  readonly kind: string;
  /** Its number in the environment, once it has one: people call it NAME-UUID8-NUMBER. */
  readonly number: number | null;
  /** One sentence: "demo: 1 → 3 controllers, asked for by ana". */
  readonly summary: string;
  readonly state: 'running' | 'done' | 'blocked' | 'cancelled' | 'failed';
  /** What was done, is being done and, as far as can be foreseen, comes next. */
  readonly steps: readonly ChangeStep[];
  readonly waitingFor: {
    readonly text: string;
    readonly untilSecondsLeft: number;
    /** What happens when it does not come in time. */
    readonly otherwise: string;
  } | null;
  /** How it ended, in a sentence; empty while it runs. */
  readonly result: string;
  /** Where a blocked change says what a person can do; empty otherwise. */
  readonly wayOut: string;
}

/** What every change is started with, whatever its kind. */
export interface ChangeInput {
  readonly environment: { readonly name: string; readonly uuid: string };
  /** NAME-UUID8 (`environmentKey`). */
  readonly key: string;
  /** Who asked for it. */
  readonly by: string;
  /** Base URL of the Temporal UI, for the links kept with the change; empty when there is none. */
  readonly ui: string;
  /** The search attributes are registered in this Temporal (on Temporal Cloud that may not be allowed to us). */
  readonly searchable: boolean;
}
