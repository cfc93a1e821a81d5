import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../../../package.js';

/** What cloud-init lays down on an instance, as it lies in the package's folder `boot`. */
export interface BootFiles {
  /** The steps, in shell. */
  readonly boot: string;
  /** What shell cannot do, in Python. */
  readonly fetch: string;
  /** The unit that runs the steps. */
  readonly service: string;
}

export function readBootFiles(): BootFiles {
  const read = (name: string) => readFileSync(path.join(packageRoot(), 'boot', name), 'utf8');
  return { boot: read('quorate-boot'), fetch: read('quorate-fetch'), service: read('quorate-boot.service') };
}
