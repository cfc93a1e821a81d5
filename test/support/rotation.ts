import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { connect } from 'node:tls';
import type { Status } from '../../src/api/status.js';
import { ApiClient, type TlsFiles } from '../../src/client/client.js';
import { issueWithKey } from '../../src/pki/authority.js';
import { splitPem } from '../../src/pki/certificate.js';
import { issuerIn } from '../../src/pki/trust.js';
import { adminCommand, directClient } from '../../src/replicaset/connect.js';
import { openState, type State } from '../../src/state/state.js';
import type { TestEnvironment } from './environment.js';

/** What a controller holds, taken from its disk at one moment. */
export interface Held {
  readonly ca: string;
  readonly caKey: string;
  readonly bootKey: string;
}

/** The disk of a machine's instance. */
export async function diskOf(env: TestEnvironment, machine: string): Promise<string> {
  const { environment } = await env.status();
  const instance = await env.instanceOf(machine);
  return path.join(env.store.dirs.localCloud, environment.uuid, instance, 'disk');
}

export async function heldBy(disk: string): Promise<Held> {
  const [ca, caKey, bootKey] = await Promise.all(
    ['identity/ca.crt', 'controller/ca.key', 'controller/boot.key'].map((file) =>
      readFile(path.join(disk, file), 'utf8'),
    ),
  );
  return { ca: ca ?? '', caKey: caKey ?? '', bootKey: (bootKey ?? '').trim() };
}

/** Names of a controller's files that are keys. */
export async function keysOn(disk: string): Promise<string[]> {
  const names = await readdir(path.join(disk, 'controller'));
  return names.filter((name) => /key/.test(name)).sort();
}

/** The environment's documents, as a controller's worker logs in with what lies on this disk now. */
export async function stateBy(disk: string, status: Status): Promise<State> {
  const [ca, own] = await Promise.all(
    ['identity/ca.crt', 'controller/state.pem'].map((file) => readFile(path.join(disk, file), 'utf8')),
  );
  return await openState({
    hosts: status.controllers.map(({ mongo }) => mongo),
    tls: { ca: ca ?? '', ...splitPem(own ?? '') },
  });
}

/** The set's term: another one means an election. */
export async function termBy(disk: string, mongo: string): Promise<number> {
  const [ca, own] = await Promise.all(
    ['identity/ca.crt', 'controller/membership.pem'].map((file) => readFile(path.join(disk, file), 'utf8')),
  );
  const client = directClient(mongo, { ca: ca ?? '', ...splitPem(own ?? '') });
  try {
    return ((await adminCommand(client, { replSetGetStatus: 1 })) as { term: number }).term;
  } finally {
    await client.close();
  }
}

/** What somebody who kept a controller's CA and its key gets of a mongod: `refused`, or that it was let in. */
export async function forgedLogin(held: Held, uuid: string, mongo: string, trusted: string): Promise<string> {
  const subject = { cn: 'membership', ou: 'service', o: uuid } as const;
  const own = await issueWithKey({ certificate: issuerIn(held.ca), key: held.caKey }, { subject });
  const client = directClient(mongo, { ca: trusted, ...own }, { serverSelectionTimeoutMS: 1500 });
  try {
    await adminCommand(client, { replSetGetStatus: 1 });
    return 'let in';
  } catch {
    return 'refused';
  } finally {
    await client.close(true);
  }
}

/** A client of an environment's API with these files and nothing besides. */
export function clientWith({ environment, controllers }: Status, tls: TlsFiles): ApiClient {
  return new ApiClient({
    environment,
    addresses: controllers.map(({ api }) => api),
    addressesVersion: Number.MAX_SAFE_INTEGER,
    tls,
  });
}

/** Whether whoever trusts `ca` alone takes what answers at host:port for good. The name is not looked at. */
export function isTrusted(hostPort: string, ca: string): Promise<boolean> {
  const [host, port] = hostPort.split(':') as [string, string];
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), ca, rejectUnauthorized: false }, () => {
      resolve(socket.authorized);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}
