import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { libfaketime } from '../../src/cloud/local/namespace/clock.js';
import { reasonOf } from '../../src/errors.js';
import { dirsOf } from '../../src/store/dirs.js';
import { fetchWheel } from '../../src/toolchain/wheel.js';

const WHEEL = {
  package: 'libfaketime',
  version: '3.0.1',
  member: '/libfaketime.so.1',
  megabytes: 1,
  sha256: ['5eed7c17f3d4ba0f6f828de4975f69a622b06b1e792674e6c1b069c0689fab79'], // Linux x86_64, whatever its name says
};

/**
 * This machine's libfaketime; where it has none, that of a wheel, kept with the servers that were downloaded. What is started
 * from here finds the same one. `missing` says why there is none.
 */
export async function findFaketime(): Promise<{ library: string; missing: string }> {
  try {
    return { library: libfaketime(), missing: '' };
  } catch (notInstalled) {
    if (process.platform !== 'linux' || process.arch !== 'x64') return { library: '', missing: reasonOf(notInstalled) };
  }
  const { toolchain } = dirsOf(process.env);
  await mkdir(toolchain, { recursive: true, mode: 0o700 });
  const library = path.join(toolchain, `libfaketime-${WHEEL.version}.so.1`);
  try {
    if (!existsSync(library)) await fetchTo(toolchain, library);
  } catch (error) {
    return { library: '', missing: `libfaketime is not installed, and was not fetched: ${reasonOf(error)}` };
  }
  process.env.QUORATE_LIBFAKETIME = library;
  return { library, missing: '' };
}

async function fetchTo(directory: string, library: string): Promise<void> {
  const staging = await mkdtemp(path.join(directory, '.libfaketime-'));
  try {
    const spec = { kind: 'libfaketime', title: 'libfaketime', wheel: WHEEL };
    await rename(await fetchWheel(spec, { staging, env: process.env, onProgress: () => {} }), library);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}
