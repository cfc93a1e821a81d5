import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Ground } from './agents.js';
import type { Answered, Asked } from './process.js';

/** The crowd's process, as its parent has it. */
export class RemoteCrowd {
  readonly #child: ChildProcess;
  #last: Promise<unknown> = Promise.resolve();

  private constructor() {
    // What agents say of their connections would be thousands of lines.
    this.#child = fork(fileURLToPath(new URL('./process.js', import.meta.url)), {
      env: { ...process.env, QUORATE_LOG_LEVEL: 'error' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  static async at(ground: Ground): Promise<RemoteCrowd> {
    const crowd = new RemoteCrowd();
    await crowd.#ask({ ask: 'ground', ground });
    return crowd;
  }

  /** Resolves when agents of these machines are connected besides. */
  async join(machines: readonly string[]): Promise<void> {
    await this.#ask({ ask: 'join', machines });
  }

  /** How many are connected, by controller. */
  async there(): Promise<Readonly<Record<string, number>>> {
    return await this.#ask({ ask: 'there' });
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.disconnect();
    await gone;
  }

  /** One question at a time. */
  #ask(asked: Asked): Promise<Readonly<Record<string, number>>> {
    const asking = this.#last.then(
      () =>
        new Promise<Readonly<Record<string, number>>>((resolve, reject) => {
          const lost = () => reject(new Error('the process of the crowd is gone'));
          this.#child.once('exit', lost);
          this.#child.once('message', (answered: Answered) => {
            this.#child.off('exit', lost);
            if ('failed' in answered) reject(new Error(answered.failed));
            else resolve(answered.there);
          });
          this.#child.send(asked);
        }),
    );
    this.#last = asking.catch(() => undefined);
    return asking;
  }
}
