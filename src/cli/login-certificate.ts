import { readFile } from 'node:fs/promises';
import { Value } from '@sinclair/typebox/value';
import { AccessFile } from '../boot/access-file.js';
import { QuorateError, reasonOf, usageError } from '../errors.js';
import { subjectOf } from '../pki/certificate.js';
import type { Store } from '../store/store.js';
import { register, strangersClient } from './register.js';

/** Takes over the certificate of an access file, once the environment has let us in with it. A login here ends. */
export async function loginByCertificate(store: Store, file: string): Promise<void> {
  const { environment, addresses, ca, certificate, key } = await readAccessFile(file);
  const tls = { ca, certificate, key };
  const client = strangersClient({ ...environment, addresses }, { tls });
  try {
    const { name } = await register(store, client);
    await store.writeCredentials(name, tls);
    await store.shredSession(name);
    const { cn } = subjectOf(certificate);
    process.stdout.write(`You are ${cn} (admin) in ${name}, by certificate. Remove ${file}: it is as good as a key.\n`);
  } finally {
    await client.close();
  }
}

async function readAccessFile(file: string): Promise<AccessFile> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new QuorateError('no-certificate', `${file} cannot be read: ${reasonOf(error)}.`, { exit: 2 });
  }
  const value = parse(text);
  if (Value.Check(AccessFile, value)) return value;
  throw usageError(
    'bad-access-file',
    `${file} is no file that recover-access makes.`,
    'Make one on a controller: quorate cloud recover-access MACHINE      or: quorated recover-access DIRECTORY FILE',
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
