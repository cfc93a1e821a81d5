import { accessSync, constants, existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { packageRoot } from '../../src/package.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const UNPACKED = join(packageRoot(), 'node_modules', '.cache', 'chromium-headless');

/**
 * Chromium without a window: `QUORATE_CHROMIUM`, the machine's own, or the one that a package of the registry carries, with
 * the libraries and the font that it needs.
 */
export async function openBrowser(): Promise<Browser> {
  const own = process.env.QUORATE_CHROMIUM ?? onPath();
  const { executablePath, env } = own === null ? await carried() : { executablePath: own, env: {} };
  return await chromium.launch({
    executablePath,
    // Tests run as root, where its sandbox refuses to start.
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--font-render-hinting=none'],
    env: { ...definedOf(process.env), ...env },
  });
}

function onPath(): string | null {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of NAMES) {
      try {
        accessSync(join(directory, name), constants.X_OK);
        return join(directory, name);
      } catch {
        // Not here.
      }
    }
  }
  return null;
}

/** Unpacked once a checkout; a half unpacked one is never taken for a whole. */
async function carried(): Promise<{ executablePath: string; env: Record<string, string> }> {
  const lib = join(UNPACKED, 'al2023', 'lib');
  if (!existsSync(UNPACKED)) {
    const half = `${UNPACKED}.half`;
    await rm(half, { recursive: true, force: true });
    await mkdir(half, { recursive: true });
    await unpack(half);
    await writeFile(join(half, 'fonts.conf'), FONTS);
    await rename(half, UNPACKED);
  }
  const env = { LD_LIBRARY_PATH: lib, FONTCONFIG_FILE: join(UNPACKED, 'fonts.conf') };
  return { executablePath: join(UNPACKED, 'chromium'), env };
}

/** It unpacks to the directory for temporary files, and its libraries only where it takes itself to be in a function. */
async function unpack(directory: string): Promise<void> {
  const meanwhile = { TMPDIR: directory, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x' };
  const before = Object.keys(meanwhile).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, meanwhile);
  try {
    const { default: carrier } = await import('@sparticuz/chromium');
    await carrier.executablePath();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

const FONTS = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(UNPACKED, 'fonts')}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${join(UNPACKED, 'fonts-cache')}</cachedir>
</fontconfig>
`;

function definedOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
