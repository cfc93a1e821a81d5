import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAuthority, issueWithKey } from '../pki/authority.js';
import { dirsOf } from './dirs.js';
import { type EnvironmentRecord, openStore, type Store } from './store.js';

let home: string;
let store: Store;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'quorate-store-'));
  store = await openStore({ QUORATE_HOME: home });
});
afterEach(() => rm(home, { recursive: true, force: true }));

const record = (name: string, version = 1): EnvironmentRecord => ({
  name,
  uuid: '5e0c2f0e-6a1f-4c62-9c59-3f4a8f6a9a01',
  cloud: 'local',
  region: '',
  addresses: { version, servers: [{ machine: '0', api: '127.0.1.1:17070', mongo: '127.0.1.1:37017' }] },
  url: 'file:///tmp/addresses.json',
  temporal: { address: '127.0.0.1:7233', namespace: 'default' },
  createdAt: '2026-01-01T00:00:00.000Z',
});
const modeOf = async (...path: string[]) => ((await stat(join(home, ...path))).mode & 0o777).toString(8);

describe('where things lie', () => {
  test('all under QUORATE_HOME when it is set', () => {
    expect(dirsOf({ QUORATE_HOME: '/q', XDG_DATA_HOME: '/d' })).toEqual({
      data: '/q/data',
      cache: '/q/cache',
      state: '/q/state',
      localCloud: '/q/data/local',
      engine: '/q/state/engine',
      engineData: '/q/data/engine',
      toolchain: '/q/cache/toolchain',
    });
  });

  test('else in the XDG directories; relative ones are ignored', () => {
    const dirs = dirsOf({ HOME: '/home/ana', XDG_DATA_HOME: '/d', XDG_CACHE_HOME: 'c' });
    expect(dirs).toMatchObject({
      data: '/d/quorate',
      cache: '/home/ana/.cache/quorate',
      state: '/home/ana/.local/state/quorate',
    });
  });
});

describe('a session', () => {
  const session = { user: 'bob', role: 'read', token: 'qrs_secret', expiresAt: '2026-01-02T00:00:00.000Z' };

  test('is read as it was written, only by its owner, and gone when it is shredded', async () => {
    expect(await store.session('demo')).toBeNull();
    await store.writeSession('demo', session);
    expect(await store.session('demo')).toEqual(session);
    expect(await modeOf('data', 'environments', 'demo', 'session.json')).toBe('600');
    await store.shredSession('demo');
    expect(await store.session('demo')).toBeNull();
  });

  test('is no certificate, and what takes one says so', async () => {
    const { certificate } = await createAuthority('5e0c2f0e-6a1f-4c62-9c59-3f4a8f6a9a01');
    await store.writeSession('demo', session, certificate);
    expect(await store.authority('demo')).toBe(certificate);
    await expect(store.credentials('demo')).rejects.toMatchObject({ code: 'no-certificate' });
  });

  test.each(['{', '[]', '{"user":"bob","role":"read","token":"t","expiresAt":"soon"}'])('%s is none', async (text) => {
    await store.writeSession('demo', session);
    await writeFile(join(home, 'data', 'environments', 'demo', 'session.json'), text);
    await expect(store.session('demo')).rejects.toMatchObject({ code: 'store-damaged' });
  });
});

describe('environments', () => {
  test('are read as they were written, unknown fields too, only by their owner', async () => {
    const written = { ...record('demo'), later: true };
    await store.writeEnvironment(written);
    expect(await store.readEnvironment('demo')).toEqual(written);
    expect(await modeOf('data', 'environments', 'demo', 'environment.json')).toBe('600');
    expect(await modeOf('data', 'environments', 'demo')).toBe('700');
    expect(await modeOf('data')).toBe('700');
  });

  test('are listed by their records', async () => {
    expect(await store.listEnvironments()).toEqual([]);
    await store.writeEnvironment(record('two'));
    await store.writeEnvironment(record('one'));
    await store.writeBootToken('half', '00');
    expect(await store.listEnvironments()).toEqual(['one', 'two']);
    expect(await store.readEnvironment('half')).toBeNull();
  });

  test('updates at once do not lose one another', async () => {
    await store.writeEnvironment(record('demo'));
    await Promise.all(
      [1, 2, 3, 4, 5].map(() =>
        store.updateEnvironment('demo', (seen) => ({
          ...seen,
          addresses: { ...seen.addresses, version: seen.addresses.version + 1 },
        })),
      ),
    );
    expect((await store.readEnvironment('demo'))?.addresses.version).toBe(6);
    await store.updateEnvironment('gone', () => record('gone'));
    expect(await store.readEnvironment('gone')).toBeNull();
  });

  test('one that is changed while it is removed is not written again', async () => {
    for (let round = 0; round < 20; round++) {
      await store.writeEnvironment(record('demo'));
      const changes = [1, 2, 3].map(() => store.updateEnvironment('demo', (seen) => ({ ...seen, url: `u${round}` })));
      await Promise.all([...changes, store.removeEnvironment('demo')]);
      expect(await store.readEnvironment('demo')).toBeNull();
    }
  });

  test('are removed whole, and are not current any more', async () => {
    await store.writeEnvironment(record('demo'));
    await store.setCurrent('demo');
    expect(await store.current()).toBe('demo');
    await store.removeEnvironment('demo');
    await store.removeEnvironment('demo');
    expect(await store.current()).toBeNull();
    expect(await readdir(join(home, 'data', 'environments'))).toEqual([]);
  });

  test('a name never leads out of the store', async () => {
    await expect(store.readEnvironment('../../etc')).rejects.toMatchObject({ code: 'bad-name', exit: 2 });
    await expect(store.setCurrent('a/b')).rejects.toMatchObject({ code: 'bad-name' });
  });
});

describe('credentials', () => {
  test('are there when all of them are, 0600', async () => {
    const authority = await createAuthority('u');
    const { certificate, key } = await issueWithKey(authority, { subject: { cn: 'ana', ou: 'operator', o: 'u' } });
    const credentials = { ca: authority.certificate, certificate, key };
    expect(await store.credentials('demo')).toBeNull();
    await store.writeCredentials('demo', credentials);
    expect(await store.credentials('demo')).toEqual(credentials);
    for (const file of ['ca.crt', 'client.pem']) {
      expect(await modeOf('data', 'environments', 'demo', file)).toBe('600');
    }
    const next = await issueWithKey(authority, { subject: { cn: 'ana', ou: 'operator', o: 'u' } });
    await store.renewCredentials('demo', next);
    expect(await store.credentials('demo')).toEqual({ ca: authority.certificate, ...next });
    await store.renewCredentials('demo', { certificate, key: '' });
    await expect(store.credentials('demo')).rejects.toThrow(/client\.pem is damaged: it holds no private key/);
    await rm(join(home, 'data/environments/demo/client.pem'));
    await expect(store.credentials('demo')).rejects.toMatchObject({ code: 'no-certificate' });
    await rm(join(home, 'data/environments/demo/ca.crt'));
    expect(await store.credentials('demo')).toBeNull();
  });

  test('the boot token is there until it is shredded', async () => {
    expect(await store.bootToken('demo')).toBeNull();
    await store.writeBootToken('demo', 'c0ffee');
    expect(await store.bootToken('demo')).toBe('c0ffee');
    expect(await modeOf('data', 'environments', 'demo', 'boot.token')).toBe('600');
    await store.shredBootToken('demo');
    await store.shredBootToken('demo');
    expect(await store.bootToken('demo')).toBeNull();
  });
});

describe('bad luck', () => {
  const open = () => openStore({ QUORATE_HOME: home });

  test('a store of a newer version is refused and left alone', async () => {
    await writeFile(join(home, 'data', 'version'), '2\n');
    await expect(open()).rejects.toMatchObject({ code: 'store-newer' });
    await expect(open()).rejects.toThrow(join(home, 'data'));
    expect(await readFile(join(home, 'data', 'version'), 'utf8')).toBe('2\n');
  });

  test.each(['', 'x', '-1', '1.5'])('a version file with %j is named as damaged', async (text) => {
    await writeFile(join(home, 'data', 'version'), text);
    await expect(open()).rejects.toMatchObject({ code: 'store-damaged' });
  });

  test('a directory that cannot be made is named', async () => {
    const file = join(home, 'file');
    await writeFile(file, '');
    await expect(openStore({ QUORATE_HOME: file })).rejects.toMatchObject({
      code: 'store-not-writable',
      message: expect.stringContaining(join(file, 'data')),
    });
  });

  test.each([
    ['', 'not JSON'],
    ['{"name": "demo"', 'not JSON'],
    ['[]', 'not an object'],
    ['{"name": "demo"}', '"uuid"'],
    [JSON.stringify({ ...record('demo'), addresses: { version: 1, servers: [{ api: 1 }] } }), '"addresses"'],
    [JSON.stringify({ ...record('demo'), temporal: {} }), '"temporal"'],
  ])('a record that holds %j is named as damaged: %s', async (text, reason) => {
    await store.writeEnvironment(record('demo'));
    const file = join(home, 'data/environments/demo/environment.json');
    await writeFile(file, text);
    await expect(store.readEnvironment('demo')).rejects.toMatchObject({
      code: 'store-damaged',
      message: expect.stringMatching(new RegExp(`^${file} is damaged: .*${reason}`)),
    });
    expect(await store.listEnvironments()).toEqual(['demo']);
  });
});
