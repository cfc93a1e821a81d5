import { setTimeout as sleep } from 'node:timers/promises';
import type { Enrol, Enrolled } from '../api/access.js';
import type { InstanceMetadata, UserData } from '../boot/user-data.js';
import { ApiClient } from '../client/client.js';
import { QuorateError, reasonOf } from '../errors.js';
import { readIfThere, shred, writePrivate } from '../store/files.js';
import { type AgentConf, writeConf } from './conf.js';
import type { AgentFiles } from './files.js';
import { say } from './say.js';
import { shredToken } from './user-data.js';

/** Answers that mean "not yet": the controllers have not heard this machine's address from the cloud, or cannot write. */
const LATER = new Set([
  'too-early',
  'no-controller',
  'no-quorum',
  'too-many',
  'leaving',
  'cut-off',
  'unknown-outcome',
  'timed-out',
  'rotating',
]);
const LONGEST_PAUSE_MS = 2000;

/**
 * The first boot of every machine but the first: the one-time token and a certificate request go to any controller, whose
 * certificate is checked against the CA of the user data; the machine's certificate comes back. The key is on disk before
 * it is sent, as the token becomes bound to it: a machine that is interrupted asks again with the same one.
 */
export async function enrolMachine(
  files: AgentFiles,
  userData: UserData,
  metadata: InstanceMetadata,
): Promise<AgentConf> {
  // A machine that lost its conf has the identity that it had: its CA may be another one by now.
  if ((await readIfThere(files.ca)) === null) await writePrivate(files.ca, userData.ca);
  if ((await readIfThere(files.own)) === null) {
    const { key, request } = await keyAndRequest(files.enrolment);
    await writePrivate(files.own, (await askForCertificate(userData, metadata, request)) + key);
    await shred(files.enrolment.key);
  }
  await shredToken(files.userData, userData);
  const conf: AgentConf = {
    quorate: 1,
    environment: userData.environment,
    machine: userData.machine,
    addresses: { version: 0, servers: userData.addresses.map((api) => ({ machine: '', api, mongo: '' })) },
    url: userData.url,
    jobs: [],
    life: 'alive',
    memberId: null,
    version: 0,
    bootstrapping: false,
  };
  await writeConf(files.conf, conf);
  return conf;
}

async function keyAndRequest(files: AgentFiles['enrolment']): Promise<{ key: string; request: string }> {
  const [key, request] = await Promise.all([readIfThere(files.key), readIfThere(files.request)]);
  if (key !== null && request !== null) return { key, request };
  const { createKeyAndRequest } = await import('../pki/authority.js');
  const made = await createKeyAndRequest();
  await writePrivate(files.key, made.key);
  await writePrivate(files.request, made.request);
  return made;
}

async function askForCertificate(userData: UserData, metadata: InstanceMetadata, request: string): Promise<string> {
  const { environment, addresses, url, ca, machine, nonce, token } = userData;
  const client = new ApiClient({
    environment,
    addresses,
    url,
    tls: { ca },
    // The controllers compare it with what the cloud says of this machine.
    localAddress: metadata.address,
  });
  try {
    for (let pause = 50; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      try {
        const body: Enrol = { machine, nonce, token, request };
        // The same key gets the same certificate again.
        const answer = await client.request<Enrolled>('POST', '/v1/enrol', {
          body,
          idempotencyKey: nonce,
        });
        return answer.body.certificate;
      } catch (error) {
        if (!(error instanceof QuorateError) || !LATER.has(error.code)) throw error;
        say(`Enrolment goes on: ${reasonOf(error)}`, 'warn');
        await sleep(pause);
      }
    }
  } finally {
    client.close();
  }
}
