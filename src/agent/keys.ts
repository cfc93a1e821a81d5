import { readFile } from 'node:fs/promises';
import type { ControllerKeys } from '../api/access.js';
import type { Authority } from '../pki/authority.js';
import { isDue, serverName, servesApi, splitPem } from '../pki/certificate.js';
import { readIfThere, writePrivate } from '../store/files.js';
import { type AgentFiles, shredDirectory } from './files.js';

/** Whom this machine's certificates name. */
export interface Identity {
  readonly environment: string;
  readonly machine: string;
  readonly address: string;
}

export async function holdsControllerKeys(files: AgentFiles): Promise<boolean> {
  return (await readIfThere(files.caKey)) !== null && (await readIfThere(files.bootKey)) !== null;
}

export async function writeControllerKeys(files: AgentFiles, keys: ControllerKeys): Promise<void> {
  if (keys.temporal !== null) await writePrivate(files.temporal, JSON.stringify(keys.temporal));
  await writePrivate(files.bootKey, keys.bootKey);
  await writePrivate(files.caKey, keys.caKey);
}

/** Shreds all that the machine knew as a controller. */
export async function shredControllerKeys(files: AgentFiles): Promise<void> {
  await shredDirectory(files.controller);
}

export async function readAuthority(files: AgentFiles): Promise<Authority> {
  const [certificate, key] = await Promise.all([readFile(files.ca, 'utf8'), readFile(files.caKey, 'utf8')]);
  return { certificate, key };
}

/** Certificate and key from a file that holds both. */
export async function readPem(file: string): Promise<{ certificate: string; key: string }> {
  return splitPem(await readFile(file, 'utf8'));
}

/**
 * Issues what a controller needs, itself, as it holds the CA's key: its own certificate, mongod's and the two logins.
 * Those that are there and good stay; with `renew`, for who has what runs take the next ones over, none that is near its
 * end does. Whether any was issued.
 */
export async function issueControllerCertificates(
  files: AgentFiles,
  identity: Identity,
  { renew = false } = {},
): Promise<boolean> {
  const { machine, environment: o, address } = identity;
  const names = { addresses: [address], names: [serverName(o)] };
  const needed = [
    { file: files.own, subject: { cn: `machine-${machine}`, ou: 'agent', o }, ...names },
    { file: files.member, subject: { cn: `machine-${machine}`, ou: 'member', o }, ...names },
    { file: files.state, subject: { cn: 'state', ou: 'service', o } },
    { file: files.membership, subject: { cn: 'membership', ou: 'service', o } },
  ] as const;
  let authority: Authority | undefined;
  for (const { file, ...options } of needed) {
    const there = await readIfThere(file);
    // A machine that becomes a controller later has one that names no server of the API.
    const good = there !== null && (file !== files.own || servesApi(there, o));
    if (good && !(renew && isDue(there))) continue;
    // The library that issues is loaded only when there is something to issue.
    const { issueWithKey } = await import('../pki/authority.js');
    authority ??= await readAuthority(files);
    const { certificate, key } = await issueWithKey(authority, options);
    await writePrivate(file, certificate + key);
  }
  return authority !== undefined;
}
