import { log } from '../log/log.js';

/** A line on the machine's console. */
export function say(text: string, level: 'info' | 'warn' | 'error' = 'info'): void {
  log()[level](text);
}
