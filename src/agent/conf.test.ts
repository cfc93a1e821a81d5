import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AgentConf, parseConf, readConf, writeConf } from './conf.js';

const conf: AgentConf = {
  quorate: 1,
  environment: { name: 'prod', uuid: '1111' },
  machine: '3',
  addresses: { version: 4, servers: [{ machine: '0', api: '127.1.1.1:17070', mongo: '127.1.1.1:37017' }] },
  url: 'file:///bucket',
  jobs: ['manage-state'],
  life: 'alive',
  memberId: 3,
  version: 7,
  bootstrapping: false,
};

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'quorate-conf-'));
  file = path.join(directory, 'agent.conf');
});
afterEach(() => rm(directory, { recursive: true }));

test('what is written is read again, by nobody else', async () => {
  await writeConf(file, conf);
  expect(await readConf(file)).toEqual({ conf, notes: [], lost: false });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('no conf at all is a first boot, not a loss', async () => {
  expect(await readConf(file)).toEqual({ conf: null, notes: [], lost: false });
});

test.each([
  ['truncated', '{"quorate": 1, "envir', 'not JSON'],
  ['empty', '', 'not JSON'],
  ['of another kind', JSON.stringify({ ...conf, jobs: ['be-nice'] }), '/jobs/0'],
  ['with something unknown', JSON.stringify({ ...conf, colour: 'red' }), '/colour'],
])('a conf that is %s is kept as .bad and healed from the one before', async (_, text, complaint) => {
  await writeConf(file, conf);
  await writeConf(file, { ...conf, version: 8 });
  await writeFile(file, text);
  const read = await readConf(file);
  expect(read.conf).toEqual(conf);
  expect(read.lost).toBe(false);
  expect(read.notes.join(' ')).toContain(complaint);
  expect(await readFile(`${file}.bad`, 'utf8')).toBe(text);
  expect((await readConf(file)).notes).toEqual([]);
});

test('with no whole predecessor the loss is said', async () => {
  await writeFile(file, 'rubbish');
  const read = await readConf(file);
  expect(read).toMatchObject({ conf: null, lost: true });
  expect(read.notes.join(' ')).toContain('cannot be restored');
});

test('a missing conf with a predecessor is restored', async () => {
  await writeConf(file, conf);
  await writeConf(file, conf);
  await rm(file);
  expect((await readConf(file)).conf).toEqual(conf);
});

test('parsing says where the fault is', () => {
  expect(() => parseConf(JSON.stringify({ ...conf, version: -1 }))).toThrow('/version');
});
