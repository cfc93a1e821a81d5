import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MongoClient, MongoClientOptions } from 'mongodb';
import { agentFiles } from '../../src/agent/files.js';
import { readPem } from '../../src/agent/keys.js';
import { adminCommand, directClient } from '../../src/replicaset/connect.js';
import type { Store } from '../../src/store/store.js';
import { processesOf } from './home.js';
import { COMMANDS } from './programs.js';

/** As the driver has it by default: a person at a shell waits longer than a controller does. */
const PATIENCE = { heartbeatFrequencyMS: 10_000, connectTimeoutMS: 30_000, serverSelectionTimeoutMS: 30_000 } as const;

/**
 * A login to the mongod of a machine of the local cloud with its own membership certificate, as somebody with a shell there has.
 *
 * @param uuid of the environment
 */
export async function memberClient(
  { dirs }: Store,
  uuid: string,
  { instance, mongo }: { readonly instance: string; readonly mongo: string },
  options: MongoClientOptions = {},
): Promise<MongoClient> {
  const directory = join(dirs.localCloud, uuid, instance);
  // A limited disk is mounted for the machine's own processes alone.
  const mongod = processesOf(directory).find(({ command }) => COMMANDS.mongod.test(command));
  return await loginWith(join(mongod ? `/proc/${mongod.pid}/root` : '/', directory), mongo, options);
}

/** The same with the certificate in a machine's directory, wherever that is seen from here. */
export async function loginWith(
  directory: string,
  mongo: string,
  options: MongoClientOptions = {},
): Promise<MongoClient> {
  const files = agentFiles(directory);
  const [ca, member] = await Promise.all([readFile(files.ca, 'utf8'), readPem(files.member)]);
  return await directClient(mongo, { ca, ...member }, { ...PATIENCE, ...options }).connect();
}

/** The set's term as this member has it: each election makes it greater. */
export const termOf = async (member: MongoClient): Promise<number> =>
  Number((await adminCommand(member, { replSetGetStatus: 1 })).term);
