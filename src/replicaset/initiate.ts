/**
 * From an empty mongod to a replica set of one that our services can log in to. Each part may be repeated: a bootstrap that
 * was interrupted anywhere runs all of it again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Db, MongoServerError } from 'mongodb';
import { QuorateError } from '../errors.js';
import type { Timings } from '../membership/types.js';
import { mongoSubject } from '../pki/certificate.js';
import type { Identity } from '../pki/identity.js';
import { directClient } from './connect.js';
import { refusal } from './errors.js';
import { REPLICA_SET } from './parameters.js';
import { type Joiner, memberConfig, timingSettings } from './reconfig.js';
import type { Hello } from './wire.js';

export interface InitiateOptions {
  /** The environment's UUID: the O of every certificate. */
  readonly environment: string;
  /** The first member; its host is dialled. */
  readonly member: Joiner;
  /** The member's own certificate (OU=member), which MongoDB takes for one of its own and lets do everything. */
  readonly identity: Identity;
  readonly timings: Timings;
}

/** Database of the environment's documents. */
const DATABASE = 'quorate';
const ALREADY_INITIALIZED = 23;
const USER_EXISTS = 51003;
const ROLE_EXISTS = 51002;

/** What changes of membership and successions need, and nothing else. */
const MEMBERSHIP_ROLE = 'quorateMembership';
const MEMBERSHIP_PRIVILEGES = [
  {
    resource: { cluster: true },
    actions: [
      'replSetConfigure',
      'replSetGetConfig',
      'replSetGetStatus',
      'replSetStateChange',
      'appendOplogNote',
      'serverStatus',
      'setParameter',
      'getDefaultRWConcern',
      'setDefaultRWConcern',
    ],
  },
  // The note that a survivor of two must hold.
  { resource: { db: 'local', collection: 'oplog.rs' }, actions: ['find'] },
];

/** Initiates the set, sets what writes wait for, and makes the services' users with the least role that each needs. */
export async function initiate(options: InitiateOptions): Promise<void> {
  const client = directClient(options.member.host, options.identity, { serverSelectionTimeoutMS: 10_000 });
  try {
    await client.connect();
    const admin = client.db('admin');
    await initiateSet(admin, options);
    await untilWritable(admin, options.member.host);
    await admin.command({ setDefaultRWConcern: 1, defaultWriteConcern: { w: 'majority', j: true, wtimeout: 0 } });
    await makeUsers(admin, client.db('$external'), options.environment);
  } finally {
    await client.close();
  }
}

async function initiateSet(admin: Db, options: InitiateOptions): Promise<void> {
  const config = {
    _id: REPLICA_SET,
    members: [memberConfig(options.member, 1)],
    settings: {
      ...timingSettings(options.timings),
      // A new primary would wait for a frozen one's heartbeat; what no majority had need not be saved.
      catchUpTimeoutMillis: 0,
    },
  };
  try {
    await admin.command({ replSetInitiate: config });
  } catch (error) {
    if (codeOf(error) !== ALREADY_INITIALIZED)
      throw refusal(`initiating the replica set on ${options.member.host}`, error);
  }
}

async function untilWritable(admin: Db, host: string): Promise<void> {
  const deadline = performance.now() + 15_000;
  for (;;) {
    const hello = (await admin.command({ hello: 1 })) as unknown as Hello;
    if (hello.isWritablePrimary) return;
    if (hello.primary !== undefined && hello.primary !== host) {
      throw new QuorateError('not-primary', `${host} belongs to a replica set whose primary is ${hello.primary}`);
    }
    if (performance.now() > deadline)
      throw new QuorateError('no-primary', `${host} did not become primary within 15 s`);
    await sleep(20);
  }
}

async function makeUsers(admin: Db, external: Db, environment: string): Promise<void> {
  const role = { privileges: MEMBERSHIP_PRIVILEGES, roles: [] };
  await createOr(
    ROLE_EXISTS,
    admin,
    { createRole: MEMBERSHIP_ROLE, ...role },
    { updateRole: MEMBERSHIP_ROLE, ...role },
  );
  const state = [
    { role: 'readWrite', db: DATABASE },
    // Validators of collections are set with collMod.
    { role: 'dbAdmin', db: DATABASE },
    { role: 'clusterMonitor', db: 'admin' },
  ];
  const users = { state, membership: [{ role: MEMBERSHIP_ROLE, db: 'admin' }] };
  for (const [cn, roles] of Object.entries(users)) {
    const name = mongoSubject({ cn, ou: 'service', o: environment });
    await createOr(USER_EXISTS, external, { createUser: name, roles }, { updateUser: name, roles });
  }
}

/** Creates, or brings up to date what is there already. */
async function createOr(exists: number, db: Db, create: object, update: object): Promise<void> {
  const writeConcern = { w: 'majority' };
  try {
    await db.command({ ...create, writeConcern });
  } catch (error) {
    if (codeOf(error) !== exists) throw error;
    await db.command({ ...update, writeConcern });
  }
}

function codeOf(error: unknown): number | null {
  return error instanceof MongoServerError ? Number(error.code) : null;
}
