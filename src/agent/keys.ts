import { readFile } from 'node:fs/promises';
import type { ControllerKeys } from '../api/access.js';
import { QuorateError } from '../errors.js';
import type { Authority } from '../pki/authority.js';
import { isDue, serverName, servesApi, splitPem } from '../pki/certificate.js';
import { writeNext } from '../pki/key-files.js';
import { authorityOf, isIssuedBy, issuerIn } from '../pki/trust.js';
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
  if (keys.next !== undefined) await writeNext(files, keys.next);
  if (keys.previousBootKey !== undefined) await writePrivate(files.previousBootKey, keys.previousBootKey);
  await writePrivate(files.bootKey, keys.bootKey);
  await writePrivate(files.caKey, keys.caKey);
}

/** Shreds all that the machine knew as a controller. */
export async function shredControllerKeys(files: AgentFiles): Promise<void> {
  await shredDirectory(files.controller);
}

/** The CA that this controller issues with: the one of those trusted that its key belongs to. */
export async function readAuthority({ ca, caKey }: Pick<AgentFiles, 'ca' | 'caKey'>): Promise<Authority> {
  const [trusted, key] = await Promise.all([readFile(ca, 'utf8'), readFile(caKey, 'utf8')]);
  const certificate = authorityOf(key, trusted);
  if (certificate !== null) return { certificate, key };
  throw new QuorateError('no-authority', 'The CA key of this machine belongs to no CA that it trusts.');
}

/** What logs in with the certificate of one of this machine's files, and whom it trusts. */
export async function readLogin(
  { ca: caFile }: Pick<AgentFiles, 'ca'>,
  file: string,
): Promise<{ ca: string; certificate: string; key: string }> {
  const [ca, own] = await Promise.all([readFile(caFile, 'utf8'), readPem(file)]);
  return { ca, ...own };
}

/** Certificate and key from a file that holds both. */
export async function readPem(file: string): Promise<{ certificate: string; key: string }> {
  return splitPem(await readFile(file, 'utf8'));
}

/**
 * Issues what a controller needs, itself, as it holds the CA's key: its own certificate, mongod's and the two logins.
 * Those that are there and good stay; with `renew`, for who has what runs take the next ones over, none that is near its
 * end or of another CA than the one that issues does. Whether any was issued.
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
  const issuer = issuerIn(await readFile(files.ca, 'utf8'));
  let authority: Authority | undefined;
  for (const { file, ...options } of needed) {
    const there = await readIfThere(file);
    // A machine that becomes a controller later has one that names no server of the API.
    const good = there !== null && (file !== files.own || servesApi(there, o));
    if (good && !(renew && (isDue(there) || !isIssuedBy(there, issuer)))) continue;
    // The library that issues is loaded only when there is something to issue.
    const { issueWithKey } = await import('../pki/authority.js');
    authority ??= await readAuthority(files);
    const { certificate, key } = await issueWithKey(authority, options);
    const shown = file === files.own ? await vouched(files, certificate, authority) : certificate;
    await writePrivate(file, shown + key);
  }
  return authority !== undefined;
}

/**
 * What an API server shows besides its certificate once the CA was rotated. In this order: whoever trusts the CA before finds
 * the voucher first, and whoever looks for the CA at the end of the chain finds it there.
 */
async function vouched(files: AgentFiles, certificate: string, authority: Authority): Promise<string> {
  const voucher = await readIfThere(files.voucher);
  if (voucher === null || !isIssuedBy(certificate, voucher)) return certificate;
  return certificate + voucher + authority.certificate;
}
