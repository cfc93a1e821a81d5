import { readFile } from 'node:fs/promises';
import type { ControllerKeys } from '../api/access.js';
import type { Authority } from '../pki/authority.js';
import { expiresAt, serverName } from '../pki/certificate.js';
import { readIfThere, writePrivate } from '../store/files.js';
import { type AgentFiles, shredDirectory } from './files.js';

/** Whom this machine's certificates name. */
export interface Identity {
  readonly environment: string;
  readonly machine: string;
  readonly address: string;
}

const RENEW_BEFORE_MS = 30 * 24 * 3_600_000;

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

/**
 * Issues what a controller needs, itself, as it holds the CA's key: mongod's certificate and the two logins. Those that
 * are there and do not end soon stay.
 */
export async function issueControllerCertificates(files: AgentFiles, identity: Identity): Promise<void> {
  const member = { cn: `machine-${identity.machine}`, ou: 'member', o: identity.environment } as const;
  const names = { addresses: [identity.address], names: [serverName(identity.environment)] };
  const needed = [
    { subject: member, ...names, certificate: files.member, key: null },
    ...(['state', 'membership'] as const).map((cn) => ({
      subject: { cn, ou: 'service', o: identity.environment } as const,
      ...files[cn],
    })),
  ];
  let authority: Authority | undefined;
  for (const { certificate, key, ...options } of needed) {
    if (await goodFor(certificate)) continue;
    // The library that issues is loaded only when there is something to issue.
    const { issueWithKey } = await import('../pki/authority.js');
    authority ??= await readAuthority(files);
    const issued = await issueWithKey(authority, options);
    if (key === null) {
      await writePrivate(certificate, issued.certificate + issued.key);
    } else {
      await writePrivate(key, issued.key);
      await writePrivate(certificate, issued.certificate);
    }
  }
}

async function goodFor(certificate: string): Promise<boolean> {
  const pem = await readIfThere(certificate);
  return pem !== null && expiresAt(pem).getTime() - Date.now() > RENEW_BEFORE_MS;
}
