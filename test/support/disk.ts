import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { TestEnvironment } from './environment.js';

/** The member certificate that lies on an instance's disk, as somebody with a shell on the machine could use it. */
export async function diskOf(
  env: TestEnvironment,
  instance: string,
): Promise<{ certificateKeyFile: string; caFile: string }> {
  const record = await env.store.readEnvironment('demo');
  const disk = join(env.store.dirs.localCloud, record?.uuid ?? '', instance, 'disk');
  const files = readdirSync(disk, { recursive: true, encoding: 'utf8' });
  const find = (pattern: RegExp) => {
    const file = files.find((name) => pattern.test(name));
    if (!file) throw new Error(`no file like ${pattern} on the disk of ${instance}: ${files.join(' ')}`);
    return join(disk, file);
  };
  return { certificateKeyFile: find(/member\.pem$/), caFile: find(/ca\.(crt|pem)$/) };
}
