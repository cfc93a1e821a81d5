import type { Act } from './acts.js';
import type { Ground } from './ground.js';
import type { Story } from './story.js';

/** After this an operator stops following; the change goes on. */
const PATIENCE_MS = 90_000;
/** How long a command may take to leave once it was interrupted. */
const LEAVE_MS = 15_000;

/** Operators who type real commands and read what they are answered. */
export class Operators {
  /** What no answer should ever be: defects shown to a person, commands that hang, wrong usage. */
  readonly defects: string[] = [];
  readonly #ground: Ground;
  readonly #story: Story;
  readonly #busy = new Map<string, Promise<void>>();

  constructor(ground: Ground, story: Story) {
    this.#ground = ground;
    this.#story = story;
  }

  /** Types a command, unless this operator still follows the one before. @returns whether it was typed */
  async type(actor: string, { words, whom }: Act & { kind: 'command' }): Promise<boolean> {
    if (this.#busy.has(actor)) return false;
    let typed = words;
    if (whom) {
      const machine = (await this.#ground.machines(whom))[0]?.tags.machine;
      if (machine === undefined) return false;
      typed = words.map((word) => word.replace('{0}', machine));
    }
    const running = this.#run(actor, typed).finally(() => this.#busy.delete(actor));
    this.#busy.set(actor, running);
    // A failure of ours is thrown by `rest`.
    running.catch(() => {});
    return true;
  }

  /** Resolves when nobody types or follows any more. */
  async rest(): Promise<void> {
    await Promise.all(this.#busy.values());
  }

  async #run(actor: string, words: readonly string[]): Promise<void> {
    const line = `quorate ${words.join(' ')}`;
    this.#story.tell(actor, line);
    const began = performance.now();
    const { child, done } = this.#ground.site.home.start(...words);
    let hung: NodeJS.Timeout | undefined;
    const patience = setTimeout(() => {
      child.kill('SIGINT');
      hung = setTimeout(() => {
        this.defects.push(`${line}: did not leave within ${LEAVE_MS / 1000} s of its interruption`);
        child.kill('SIGKILL');
      }, LEAVE_MS);
    }, PATIENCE_MS);
    const { code, stdout, stderr } = await done;
    clearTimeout(patience);
    clearTimeout(hung);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    const said = [...stderr.trim().split('\n'), ...stdout.trim().split('\n')].filter((each) => each !== '');
    const last = code === 0 ? said.at(-1) : (said.find((each) => each.startsWith('quorate:')) ?? said.at(-1));
    this.#story.tell(actor, `${line}: exit ${code} after ${seconds} s: ${last ?? ''}`);
    if (/this should not have happened/.test(stderr)) this.defects.push(`${line}: ${stderr.trim()}`);
  }
}
