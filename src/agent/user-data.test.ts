import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { UserData } from '../boot/user-data.js';
import { readMetadata, readUserData, shredToken } from './user-data.js';

const userData: UserData = {
  quorate: 1,
  environment: { name: 'prod', uuid: '1111' },
  machine: '3',
  nonce: 'n-3',
  addresses: ['127.1.1.1:17070'],
  url: 'file:///bucket',
  ca: '-----BEGIN CERTIFICATE-----\n',
  token: '0123456789abcdef',
  install: { source: 'local', version: '0.1.0' },
};

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'quorate-user-data-'));
  file = path.join(directory, 'user-data.json');
});
afterEach(() => rm(directory, { recursive: true }));

test('whole user data is read as it was given', async () => {
  await writeFile(file, JSON.stringify(userData));
  expect(await readUserData(file)).toEqual(userData);
});

const text = JSON.stringify(userData);
const without = (field: keyof UserData) => JSON.stringify({ ...userData, [field]: undefined });
test.each([
  ['cut short', text.slice(0, 100), /cannot be read: /],
  ['empty', '', /cannot be read: /],
  ['without its nonce', without('nonce'), /is damaged \(\/nonce: /],
  ['without a token', without('token'), /is damaged \(\/token: /],
  ['of another version', JSON.stringify({ ...userData, quorate: 2 }), /is damaged \(\/quorate: /],
  ['with a number for a machine', JSON.stringify({ ...userData, machine: 3 }), /is damaged \(\/machine: /],
  ['with what nobody gave it', JSON.stringify({ ...userData, run: 'rm' }), /is damaged \(\/run: /],
  ['null', 'null', /is damaged \(the whole: /],
])('user data that is %s is refused: which file, what is wrong with it, and what to do', async (_, damaged, reason) => {
  await writeFile(file, damaged);
  const refused = await readUserData(file).catch((error) => error);
  expect(refused).toMatchObject({ name: 'QuorateError', code: 'bad-user-data', exit: 1 });
  expect(refused.message).toMatch(reason);
  expect(refused.message).toContain(`The user data in ${file} `);
  expect(refused.message).not.toContain(userData.token);
  expect(refused.todo).toBe('Terminate the instance; a new one is started with whole user data.');
});

test('user data that is not there, and damaged metadata, are refused in the same way', async () => {
  await expect(readUserData(file)).rejects.toMatchObject({
    code: 'bad-user-data',
    message: expect.stringContaining(`The user data in ${file} cannot be read: ENOENT`),
  });
  await writeFile(file, JSON.stringify({ instance: 'i-1', address: '127.1.1.1', ports: { api: 1 }, zone: 'a' }));
  await expect(readMetadata(file)).rejects.toMatchObject({
    code: 'bad-user-data',
    message: expect.stringMatching(/^The instance's metadata in .+ is damaged \(\/ports\/mongo: /),
  });
});

test('the token is taken out, and the rest can be read again', async () => {
  await writeFile(file, JSON.stringify(userData));
  await shredToken(file, userData);
  expect(await readFile(file, 'utf8')).not.toContain(userData.token);
  expect(await readUserData(file)).toEqual({ ...userData, token: '' });
});
