import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { until } from '../support/home.js';
import { hostPidOf } from '../support/pid-namespaces.js';
import type { Moment } from './cases.js';

/** An activity that is held, as its process said. */
export interface Held {
  /** As the host counts; null where it is gone already. */
  readonly pid: number | null;
  readonly activity: string;
  readonly attempt: number;
  readonly workflowId: string;
  readonly runId: string;
  readonly args: readonly unknown[];
}

/** The test's side of `hold.mjs`: one activity of one home at a time. */
export class Holds {
  readonly directory: string;
  #id = 0;

  /** @param patience so many times as long is waited as on the local cloud */
  constructor(
    home: string,
    private readonly patience: number,
  ) {
    this.directory = join(home, 'holds');
    mkdirSync(this.directory, { recursive: true });
    // Workers of instances are another user.
    chmodSync(this.directory, 0o777);
  }

  /** From now on the `occurrence`-th run of this activity is held. */
  arm(hold: { readonly activity: string; readonly occurrence: number; readonly moment: Moment }): void {
    // The directory itself is one that instances may have mounted.
    for (const name of readdirSync(this.directory)) rmSync(this.#file(name));
    this.#id += 1;
    // The name appears whole or not at all to those that look.
    writeFileSync(this.#file('armed.tmp'), JSON.stringify({ ...hold, id: this.#id }));
    renameSync(this.#file('armed.tmp'), this.#file('armed.json'));
  }

  /** Resolves once it is held; rejects with NeverHeld when `over` says that nobody will come by any more. */
  async held(what: string, over: () => string | null): Promise<Held> {
    const seen = await until(
      `${what} to be held`,
      async () => {
        if (existsSync(this.#file('held.json'))) {
          const { pid, namespace, ...held } = JSON.parse(readFileSync(this.#file('held.json'), 'utf8'));
          return { ...held, pid: hostPidOf(pid, namespace) } as Held;
        }
        const reason = over();
        return reason === null ? null : new NeverHeld(reason);
      },
      240 * this.patience,
    );
    if (seen instanceof NeverHeld) throw seen;
    return seen;
  }

  release(): void {
    writeFileSync(this.#file('go'), '');
  }

  /** Resolves once the held run has ended after all, or its process was ended with what it belonged to; rejects when neither. */
  async ended({ pid }: Pick<Held, 'pid'>): Promise<void> {
    await until(
      'the held activity to end',
      async () => existsSync(this.#file('ended')) || pid === null || !existsSync(`/proc/${pid}`),
      60 * this.patience,
    );
  }

  #file(name: string): string {
    return join(this.directory, name);
  }
}

export class NeverHeld extends Error {}
