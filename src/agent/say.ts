import { log } from '../log/log.js';

/** A line on the machine's console. */
export function say(text: string, level: 'info' | 'warn' | 'error' = 'info'): void {
  log()[level](text);
}

/** Says what happens once, not once for each attempt. */
export class SaidOnce {
  #last = '';

  say(text: string, level: 'info' | 'warn' = 'info'): void {
    if (text === this.#last) return;
    this.#last = text;
    say(text, level);
  }

  /** It went well: should the same happen again, it is said again. */
  over(): void {
    this.#last = '';
  }
}
