import { existsSync } from 'node:fs';
import { QuorateError } from '../../../errors.js';

/** Where distributions put it; the architecture's own directory first. */
const DIRECTORIES = [
  '/usr/lib/x86_64-linux-gnu/faketime',
  '/usr/lib/aarch64-linux-gnu/faketime',
  '/usr/lib64/faketime',
  '/usr/lib/faketime',
  '/usr/local/lib/faketime',
] as const;

/**
 * The library that shifts the wall clock of whatever is started with it; a time namespace only shifts clocks that count from
 * the boot. QUORATE_LIBFAKETIME names one that lies elsewhere.
 */
export function libfaketime(env: NodeJS.ProcessEnv = process.env): string {
  const candidates = [env.QUORATE_LIBFAKETIME ?? '', ...DIRECTORIES.map((each) => `${each}/libfaketime.so.1`)];
  const found = candidates.find((each) => each !== '' && existsSync(each));
  if (found !== undefined) return found;
  throw new QuorateError('no-faketime', 'the clock of an instance needs libfaketime, which is not installed', {
    todo: 'install it (Debian: apt install faketime), or name the library in QUORATE_LIBFAKETIME',
  });
}

/** An offset as libfaketime takes it, in seconds with their sign; empty for none. */
export function clockOf(offsetMs: number): string {
  return offsetMs === 0 ? '' : `${offsetMs > 0 ? '+' : ''}${(offsetMs / 1000).toFixed(3)}`;
}
