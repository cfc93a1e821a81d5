import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Architecture } from '../cloud/ec2/image-names.js';
import { builtFile, packageRoot, packageVersion } from '../package.js';
import { foldersOf } from './needed.js';
import { type Entry, tarOf } from './tar.js';

/** Our package as an instance needs it, for one kind of processor. */
export interface AgentArchive {
  readonly version: string;
  readonly processor: Architecture;
  /** A .tar.gz with one folder at its top. */
  readonly bytes: Buffer;
  /** Hex. */
  readonly sha256: string;
}

/** What the built programs load that is not in them; scripts/programs.mjs leaves these out. */
const LOADED = ['@temporalio/core-bridge', 'source-map'];
const OWN = [
  'bin',
  'boot',
  'dist/page',
  'dist/programs',
  'dist/workflow-bundle.js',
  'LICENSE',
  'README.md',
  'package.json',
];
const BRIDGE = 'node_modules/@temporalio/core-bridge/';
/** Temporal's machine code, which its package has for every system. */
const MACHINE_CODE: Readonly<Record<Architecture, string>> = {
  x86_64: 'x86_64-unknown-linux-gnu',
  arm64: 'aarch64-unknown-linux-gnu',
};
/** What nothing that runs reads. */
const UNREAD = /\.(map|d\.[cm]?ts|md|markdown|tsbuildinfo)$/;
const SOURCES_OF_BRIDGE = /^(src|ts|sdk-core|bridge-macros|scripts|Cargo\.)/;

/**
 * Packs the built package for instances of a kind of processor, on whatever system this runs: the same bytes for the same
 * build by the same Node.
 */
export async function packAgent(processor: Architecture): Promise<AgentArchive> {
  const root = packageRoot();
  builtFile('programs', 'quorated.js');
  const entries: Entry[] = [];
  const add = (file: string, name: string) => {
    const executable = (statSync(file).mode & 0o100) !== 0;
    entries.push({ name: `quorate/${name}`, contents: readFileSync(file), executable });
  };
  for (const own of OWN) {
    for (const file of filesUnder(path.join(root, own))) add(file, slashed(path.relative(root, file)));
  }
  const top = path.join(root, 'node_modules');
  for (const folder of foldersOf(LOADED, root)) {
    for (const file of filesUnder(folder)) {
      const name = `node_modules/${slashed(path.relative(top, file))}`;
      if (isWanted(name, processor)) add(file, name);
    }
  }
  const bytes = await promisify(gzip)(await tarOf(entries), { level: 9 });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { version: packageVersion(), processor, bytes, sha256 };
}

/** Whether a file of a package's is for instances of the processor. Pure. */
export function isWanted(name: string, processor: Architecture): boolean {
  if (UNREAD.test(name)) return false;
  if (!name.startsWith(BRIDGE)) return true;
  const rest = name.slice(BRIDGE.length);
  if (rest.startsWith('releases/')) return rest.startsWith(`releases/${MACHINE_CODE[processor]}/`);
  return !SOURCES_OF_BRIDGE.test(rest);
}

/** The files of a folder, without the packages that lie in it; or the file itself. */
function filesUnder(at: string): string[] {
  if (statSync(at).isFile()) return [at];
  return readdirSync(at, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules') return [];
    const child = path.join(at, entry.name);
    return entry.isDirectory() ? filesUnder(child) : entry.isFile() ? [child] : [];
  });
}

const slashed = (name: string) => name.split(path.sep).join('/');
