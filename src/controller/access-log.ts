import type { Level } from '../log/line.js';
import { log } from '../log/log.js';
import { Rate } from './rate.js';

export interface Answered {
  readonly requestId: string;
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly ms: number;
}

/** While there is no majority every client is refused, again and again: the log must not grow with them. */
const GRAVE = new Rate({ perSecond: 5, burst: 50 });
const REFUSED_LOGIN = [401, 403, 429];

/** How grave an answer is. What went as it should is of interest only to who looks for something in particular. */
export function gravityOf(status: number): Level {
  if (status >= 500) return 'warn';
  return REFUSED_LOGIN.includes(status) ? 'info' : 'debug';
}

/** A line for an answer; where nobody wants it, it costs a comparison. */
export function logAnswer({ requestId, method, url, status, ms }: Answered): void {
  const level = gravityOf(status);
  const writer = log();
  if (!writer.isLevelEnabled(level)) return;
  if (level !== 'debug' && !GRAVE.take('', performance.now())) return;
  // Queries may hold what is nobody else's, and say little.
  const [path = ''] = url.slice(0, 300).split('?', 1);
  writer[level]({ requestId, method, path, status, ms: Math.round(ms * 10) / 10 }, `${method} ${path}: ${status}`);
}
