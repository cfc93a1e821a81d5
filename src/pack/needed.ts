import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { QuorateError } from '../errors.js';

interface PackageJson {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Types are for compilers. */
const isTypes = (name: string) => name.startsWith('@types/') || name === 'undici-types';

/**
 * The folders of these packages and of all that they depend on, each as Node finds it from the one that asks for it; sorted.
 * @throws QuorateError when one is not installed
 */
export function foldersOf(names: readonly string[], root: string): string[] {
  const found = new Set<string>();
  const visit = (name: string, from: string, optional: boolean) => {
    if (isTypes(name)) return;
    const folder = folderOf(name, from);
    if (folder === null) {
      if (optional) return;
      throw new QuorateError(
        'not-installed',
        `${name}, which ${path.relative(root, from) || 'this package'} needs, is not installed.`,
        {
          todo: 'Run `npm install`.',
        },
      );
    }
    if (found.has(folder)) return;
    found.add(folder);
    const { dependencies = {}, optionalDependencies = {} } = readPackage(folder);
    for (const each of Object.keys(dependencies)) visit(each, folder, each in optionalDependencies);
    for (const each of Object.keys(optionalDependencies)) visit(each, folder, true);
  };
  for (const name of names) visit(name, root, false);
  return [...found].sort();
}

const readPackage = (folder: string) =>
  JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as PackageJson;

function folderOf(name: string, from: string): string | null {
  for (let directory = from; ; directory = path.dirname(directory)) {
    const folder = path.join(directory, 'node_modules', name);
    if (existsSync(path.join(folder, 'package.json'))) return folder;
    if (directory === path.dirname(directory)) return null;
  }
}
