import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { QuorateError } from './errors.js';

/** Where this package lies: the folder of its package.json, from the sources and from `dist` alike. */
export function packageRoot(): string {
  let directory = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(directory, 'package.json'))) {
    const parent = path.dirname(directory);
    if (parent === directory) throw new Error(`no package.json above ${fileURLToPath(import.meta.url)}`);
    directory = parent;
  }
  return directory;
}

export function packageVersion(): string {
  return (JSON.parse(readFileSync(path.join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version;
}

/** A file of the build (`dist`), such as the entry of a process; it is there once the package was built. */
export function builtFile(...segments: string[]): string {
  const file = path.join(packageRoot(), 'dist', ...segments);
  if (!existsSync(file)) {
    throw new QuorateError('not-built', `This checkout of Quorate is not built: ${file} is missing.`, {
      todo: 'Run `npm run build`.',
    });
  }
  return file;
}

/** What a worker says it is: version and workflow code, so that two builds of one version are told apart. */
export function buildId(): string {
  const bundle = readFileSync(builtFile('workflow-bundle.js'));
  return `${packageVersion()}-${createHash('sha256').update(bundle).digest('hex').slice(0, 12)}`;
}
