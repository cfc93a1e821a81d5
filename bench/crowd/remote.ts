import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Ground } from './agents.js';
import type { Answered, Asked } from './process.js';

type Counts = Readonly<Record<string, number>>;

function sumOf(all: readonly Counts[]): Counts {
  const sum: Record<string, number> = {};
  for (const counts of all) {
    for (const [key, count] of Object.entries(counts)) sum[key] = (sum[key] ?? 0) + count;
  }
  return sum;
}

/** The crowd, in some processes. */
export class RemoteCrowd {
  private constructor(private readonly processes: readonly CrowdProcess[]) {}

  static async at(ground: Ground, processes: number): Promise<RemoteCrowd> {
    return new RemoteCrowd(await Promise.all(Array.from({ length: processes }, () => CrowdProcess.at(ground))));
  }

  /** Resolves when agents of these machines are connected besides. */
  async join(machines: readonly string[]): Promise<void> {
    const { length } = this.processes;
    await Promise.all(this.processes.map((each, index) => each.join(machines.filter((_, n) => n % length === index))));
  }

  /** How many are connected, by controller. */
  async there(): Promise<Counts> {
    return sumOf(await Promise.all(this.processes.map((each) => each.there())));
  }

  /** How many connections ended since this was asked last, by reason. */
  async ended(): Promise<Counts> {
    return sumOf(await Promise.all(this.processes.map((each) => each.ended())));
  }

  async close(): Promise<void> {
    await Promise.all(this.processes.map((each) => each.close()));
  }
}

class CrowdProcess {
  readonly #child: ChildProcess;
  #last: Promise<unknown> = Promise.resolve();

  private constructor() {
    // What agents say of their connections would be thousands of lines.
    this.#child = fork(fileURLToPath(new URL('./process.js', import.meta.url)), {
      env: { ...process.env, QUORATE_LOG_LEVEL: 'error' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  static async at(ground: Ground): Promise<CrowdProcess> {
    const crowd = new CrowdProcess();
    await crowd.#ask({ ask: 'ground', ground });
    return crowd;
  }

  /** Resolves when agents of these machines are connected besides. */
  async join(machines: readonly string[]): Promise<void> {
    await this.#ask({ ask: 'join', machines });
  }

  async there(): Promise<Counts> {
    return await this.#ask({ ask: 'there' });
  }

  async ended(): Promise<Counts> {
    return await this.#ask({ ask: 'ended' });
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.disconnect();
    await gone;
  }

  /** One question at a time. */
  #ask(asked: Asked): Promise<Counts> {
    const asking = this.#last.then(
      () =>
        new Promise<Counts>((resolve, reject) => {
          const lost = () => reject(new Error('the process of the crowd is gone'));
          this.#child.once('exit', lost);
          this.#child.once('message', (answered: Answered) => {
            this.#child.off('exit', lost);
            if ('failed' in answered) reject(new Error(answered.failed));
            else resolve(answered.counts);
          });
          this.#child.send(asked);
        }),
    );
    this.#last = asking.catch(() => undefined);
    return asking;
  }
}
