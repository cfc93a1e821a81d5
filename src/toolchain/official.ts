import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { reasonOf } from '../errors.js';
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
  await refuseWhileOffline(options.cacheDir);
  const { url, title, sha256Url } = await (spec.kind === 'mongod' ? mongodArchive() : temporalArchive(spec));
  const archive = path.join(options.staging, 'archive.tgz');
  options.onProgress(`Downloading ${title}`);
  try {
    const expected = sha256Url === null ? null : (await downloadText(sha256Url)).trim().split(/\s+/)[0];
    await downloadFile(url, archive, title, options.onProgress);
    if (expected !== null && expected !== (await sha256(archive))) {
      throw new HttpStatusError(`the SHA-256 of ${title} is not the one published beside it`);
    }
  } catch (error) {
    if (!(error instanceof HttpStatusError)) await rememberOffline(options.cacheDir, networkReason(error));
    throw new Error(networkReason(error), { cause: error });
  }
  await promisify(execFile)('tar', ['-xzf', archive, '-C', options.staging]);
  await rm(archive);
  const found = (await readdir(options.staging, { recursive: true })).find((name) => path.basename(name) === spec.kind);
  if (found === undefined) throw new Error(`there is no ${spec.kind} in ${title}`);
  return path.join(options.staging, found);
}

interface Archive {
  readonly url: string;
  readonly title: string;
  readonly sha256Url: string | null;
}

async function mongodArchive(): Promise<Archive> {
  const { MongoBinaryDownloadUrl } = await import('mongodb-memory-server-core/lib/util/MongoBinaryDownloadUrl.js');
  const { getOS } = await import('mongodb-memory-server-core/lib/util/getos/index.js');
  const { DEFAULT_VERSION } = await import('mongodb-memory-server-core/lib/util/resolveConfig.js');
  const url = await new MongoBinaryDownloadUrl({
    version: DEFAULT_VERSION,
    platform: os.platform(),
    arch: os.arch(),
    os: await getOS(),
  }).getDownloadUrl();
  return { url, title: `MongoDB ${DEFAULT_VERSION} from its makers`, sha256Url: `${url}.sha256` };
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
  await writeFile(offlineFile(cacheDir), JSON.stringify({ at: Date.now(), reason }));
}
