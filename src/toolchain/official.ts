import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { reasonOf } from '../errors.js';
import { privateDirectory } from '../store/files.js';
import { downloadFile, downloadText, HttpStatusError, type Progress } from './download.js';
import type { ServerSpec } from './servers.js';

/** For how long a network that did not answer is not asked again, by this or another process. */
const OFFLINE_MS = 5 * 60_000;

/**
 * Downloads the makers' own archive into `staging` and returns the server's file in it.
 *
 * The URL of MongoDB's comes from mongodb-memory-server-core, which knows each distribution's; its own downloader is not
 * used, as it does not verify TLS certificates unless npm is told to, prints on stdout, and checks MD5 only.
 */
export async function fetchOfficial(
  spec: ServerSpec,
  options: { cacheDir: string; staging: string; onProgress: Progress },
): Promise<string> {
  const archive = await (spec.kind === 'mongod' ? mongodHere() : temporalArchive(spec));
  const { title } = archive;
  const file = path.join(options.staging, 'archive.tgz');
  options.onProgress(`Downloading ${title}`);
  await downloadArchive(archive, file, options);
  await promisify(execFile)('tar', ['-xzf', file, '-C', options.staging]);
  await rm(file);
  const found = (await readdir(options.staging, { recursive: true })).find((name) => path.basename(name) === spec.kind);
  if (found === undefined) throw new Error(`there is no ${spec.kind} in ${title}`);
  return path.join(options.staging, found);
}

/** An archive where its makers have it. */
export interface Archive {
  readonly url: string;
  readonly title: string;
  /** Text whose line for the archive begins with its SHA-256; null where none is published. */
  readonly sha256Url: string | null;
}

/** What its makers publish as an archive's SHA-256; null where they publish none. */
export async function publishedSha256({ url, sha256Url }: Archive, cacheDir: string): Promise<string | null> {
  if (sha256Url === null) return null;
  const text = await asking(cacheDir, () => downloadText(sha256Url));
  return sha256In(text, path.basename(new URL(url).pathname));
}

/** Of a list of sums, or of the one sum that is there. Pure. */
export function sha256In(text: string, file: string): string | null {
  const lines = text.trim().split('\n');
  const line = lines.length === 1 ? lines[0] : lines.find((each) => each.trim().endsWith(` ${file}`));
  return /^[0-9a-f]{64}\b/.exec(line ?? '')?.[0] ?? null;
}

/** Downloads an archive, and refuses one that is not what its makers published. */
export async function downloadArchive(
  archive: Archive,
  file: string,
  { cacheDir, onProgress }: { readonly cacheDir: string; readonly onProgress: Progress },
): Promise<void> {
  const { url, title, sha256Url } = archive;
  const expected = await publishedSha256(archive, cacheDir);
  await asking(cacheDir, async () => {
    await downloadFile(url, file, title, onProgress);
    if (sha256Url !== null && expected !== (await sha256(file))) {
      throw new HttpStatusError(`the SHA-256 of ${title} is not the one published beside it`);
    }
  });
}

/** MongoDB's archive for a system, as its makers name systems, and a kind of processor, as Node names them. */
export async function mongodArchive(system: object, arch: string, platform = 'linux'): Promise<Archive> {
  const { MongoBinaryDownloadUrl } = await import('mongodb-memory-server-core/lib/util/MongoBinaryDownloadUrl.js');
  const { DEFAULT_VERSION } = await import('mongodb-memory-server-core/lib/util/resolveConfig.js');
  const of = { version: DEFAULT_VERSION, platform, arch, os: system };
  const url = await new MongoBinaryDownloadUrl(of as never).getDownloadUrl();
  return { url, title: `MongoDB ${DEFAULT_VERSION} from its makers`, sha256Url: `${url}.sha256` };
}

async function mongodHere(): Promise<Archive> {
  const { getOS } = await import('mongodb-memory-server-core/lib/util/getos/index.js');
  return await mongodArchive(await getOS(), os.arch(), os.platform());
}

/** Node's archive of a version for Linux and a kind of processor, as Node names them. */
export function nodeArchive(version: string, arch: string): Archive {
  const place = `https://nodejs.org/dist/${version}`;
  return {
    url: `${place}/node-${version}-linux-${arch}.tar.gz`,
    title: `Node ${version} from its makers`,
    sha256Url: `${place}/SHASUMS256.txt`,
  };
}

async function temporalArchive(spec: ServerSpec): Promise<Archive> {
  const arch = os.arch() === 'x64' ? 'amd64' : os.arch();
  const { version } = spec.wheel;
  return {
    url: `https://temporal.download/cli/archive/v${version}?platform=${os.platform()}&arch=${arch}`,
    title: `Temporal ${version} from its makers`,
    sha256Url: null,
  };
}

export async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Asks the makers, unless there was no network a moment ago. */
async function asking<T>(cacheDir: string, ask: () => Promise<T>): Promise<T> {
  await refuseWhileOffline(cacheDir);
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof HttpStatusError)) await rememberOffline(cacheDir, networkReason(error));
    throw new Error(networkReason(error), { cause: error });
  }
}

/** undici says `fetch failed` and keeps what matters in the cause. */
function networkReason(error: unknown): string {
  return error instanceof Error && error.message === 'fetch failed' && error.cause !== undefined
    ? reasonOf(error.cause)
    : reasonOf(error);
}

const offlineFile = (cacheDir: string) => path.join(cacheDir, 'offline.json');

async function refuseWhileOffline(cacheDir: string): Promise<void> {
  let note: { at: number; reason: string };
  try {
    note = JSON.parse(await readFile(offlineFile(cacheDir), 'utf8'));
  } catch {
    return; // no note, or one cut short: only a hint that saves time
  }
  const age = Date.now() - note.at;
  if (age >= 0 && age < OFFLINE_MS) {
    throw new Error(`not tried: no network ${Math.round(age / 1000)} s ago (${note.reason})`);
  }
}

async function rememberOffline(cacheDir: string, reason: string): Promise<void> {
  await privateDirectory(cacheDir);
  await writeFile(offlineFile(cacheDir), JSON.stringify({ at: Date.now(), reason }));
}
