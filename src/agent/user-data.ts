import { open, readFile } from 'node:fs/promises';
import type { Static, TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { InstanceMetadata, UserData } from '../boot/user-data.js';
import { QuorateError, reasonOf } from '../errors.js';
import { writePrivate } from '../store/files.js';

/** What this instance was given when it was started. */
export function readUserData(file: string): Promise<UserData> {
  return readDocument(file, UserData, 'The user data');
}

/** What the cloud says of this instance. */
export function readMetadata(file: string): Promise<InstanceMetadata> {
  return readDocument(file, InstanceMetadata, "The instance's metadata");
}

/** Takes the one-time token out of the user data: its bytes are overwritten in place, then the file is written without. */
export async function shredToken(file: string, userData: UserData): Promise<void> {
  if (userData.token === '') return;
  const text = await readFile(file, 'utf8');
  const handle = await open(file, 'r+');
  try {
    await handle.write(text.replaceAll(userData.token, '0'.repeat(userData.token.length)), 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await writePrivate(file, JSON.stringify({ ...userData, token: '' }));
}

async function readDocument<T extends TSchema>(file: string, schema: T, what: string): Promise<Static<T>> {
  const todo = 'Terminate the instance; a new one is started with whole user data.';
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new QuorateError('bad-user-data', `${what} in ${file} cannot be read: ${reasonOf(error)}.`, { todo });
  }
  if (Value.Check(schema, value)) return value;
  const first = Value.Errors(schema, value).First();
  const fault = `${first?.path || 'the whole'}: ${first?.message ?? 'not as expected'}`;
  throw new QuorateError('bad-user-data', `${what} in ${file} is damaged (${fault}).`, { todo });
}
