/**
 * Forcing a set of one on a survivor, the only change that MongoDB checks against nothing: a stale one was accepted by a healthy
 * set of three and threw two members out. So only the survivor's own agent sends it, only to its own mongod, under a lock that
 * ends with the process, after reading again what it was decided on; and it keeps a record of the request.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MongoClient } from 'mongodb';
import { QuorateError, reasonOf } from '../errors.js';
import { whileLocked } from '../lock.js';
import type { MemberId } from '../membership/types.js';
import type { Identity } from '../pki/identity.js';
import { readIfThere, writePrivate } from '../store/files.js';
import { adminCommand, directClient } from './connect.js';
import { refusal } from './errors.js';
import { holdsProof } from './note.js';
import { readConfig } from './observe.js';
import { sendable } from './reconfig.js';
import { type Hello, NO_TERM, type SetConfig, termOfConfig } from './wire.js';

export interface ForceRequest {
  /** The same for every retry of one decision. */
  readonly requestId: string;
  readonly survivor: MemberId;
  /** The config that was decided on. */
  readonly fence: { readonly version: number; readonly term: number };
  /** Refuse unless the survivor's oplog proves that it holds everything: always, outside `recover`. */
  readonly needsNote: boolean;
}

export interface ForcePlace {
  /** host:port of this machine's own mongod, and the certificate to log in with. */
  readonly host: string;
  readonly identity: Identity;
  /** Where the last request is recorded; its path is also the name of the lock. */
  readonly recordFile: string;
}

/** How long a primary that is gone may still be named. */
const NAMED_MS = 5000;

/** How long what was read last may be looked at before the forced config is sent: longer than that, this agent was frozen. */
const FRESH_MS = 2000;

/** The config of a set of one with this member. */
export function alone(config: SetConfig, survivor: MemberId): SetConfig {
  const member = config.members.find((m) => m._id === survivor);
  if (member === undefined) throw new QuorateError('stale', `Member ${survivor} is not in the configuration.`);
  return sendable({ ...config, members: [{ ...member, votes: 1, priority: 1 }] }, config.version + 1);
}

/** Forces the set of one, or finds that this very request has done so; returns once the survivor takes writes. */
export function forceSurvivor(request: ForceRequest, place: ForcePlace): Promise<void> {
  return whileLocked(place.recordFile, async () => {
    const client = directClient(place.host, place.identity);
    try {
      await force(client, request, place);
      await untilPrimary(client, place.host);
    } finally {
      await client.close();
    }
  });
}

async function force(client: MongoClient, request: ForceRequest, { host, recordFile }: ForcePlace): Promise<void> {
  const { requestId, survivor } = request;
  const held = await readHeld(client, host);
  const [only, ...others] = held.members;
  const forced = only?._id === survivor && others.length === 0 && termOfConfig(held) === NO_TERM;
  if (forced && (await recorded(recordFile)) === requestId) return;
  checkFence(held, request, host);

  await untilWithoutPrimary(client, host);
  if (request.needsNote && !(await holdsProof(client, request.fence.version, survivor))) {
    throw new QuorateError(
      'no-note',
      `The oplog of ${host} does not prove that it holds every write acknowledged in configuration ${request.fence.version}.`,
      { todo: 'Start the other member again, or decide with: quorate recover --survivor MACHINE' },
    );
  }
  await writePrivate(recordFile, `${JSON.stringify({ requestId, fence: request.fence })}\n`);
  // Last of all, as all of this took its time.
  const asked = performance.now();
  const config = await readHeld(client, host);
  checkFence(config, request, host);
  if (performance.now() - asked > FRESH_MS)
    throw new QuorateError('not-yet', `${host} took too long to say what it has, so nothing is forced on it.`);
  try {
    await adminCommand(client, { replSetReconfig: alone(config, survivor), force: true, maxTimeMS: 5000 });
  } catch (error) {
    throw refusal(`forcing a set of one on ${host}`, error);
  }
}

async function readHeld(client: MongoClient, host: string): Promise<SetConfig> {
  const { config } = await readConfig(client, false);
  if (config === null) throw new QuorateError('no-set', `${host} belongs to no replica set.`);
  return config;
}

function checkFence(config: SetConfig, { fence }: ForceRequest, host: string): void {
  const [version, term] = [config.version, termOfConfig(config)];
  if (version === fence.version && term === fence.term) return;
  throw new QuorateError(
    'stale',
    `${host} has configuration (${version}, ${term}) and no longer (${fence.version}, ${fence.term}), on which forcing was decided.`,
    { todo: 'Look at the set again before anything is forced.' },
  );
}

/** ID of the last request that was about to be sent from here. */
async function recorded(recordFile: string): Promise<string | null> {
  const record = await readIfThere(recordFile);
  if (record === null) return null;
  try {
    return String((JSON.parse(record) as { requestId: unknown }).requestId);
  } catch (error) {
    throw new QuorateError('bad-record', `${recordFile} is damaged: ${reasonOf(error)}.`, { cause: error });
  }
}

/** A member goes on naming a primary that has died or hangs until its heartbeats have failed. */
async function untilWithoutPrimary(client: MongoClient, host: string): Promise<void> {
  const deadline = performance.now() + NAMED_MS;
  for (;;) {
    const { primary } = (await adminCommand(client, { hello: 1 })) as unknown as Hello;
    if (primary === undefined) return;
    if (primary === host || performance.now() > deadline) {
      throw new QuorateError('has-primary', `The set of ${host} has a primary, ${primary}; nothing is forced.`);
    }
    await sleep(100);
  }
}

async function untilPrimary(client: MongoClient, host: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const hello = (await adminCommand(client, { hello: 1 })) as unknown as Hello;
    if (hello.isWritablePrimary) return;
    if (performance.now() > deadline)
      throw new QuorateError('no-primary', `${host} was forced and is not primary yet.`);
    await sleep(10);
  }
}
