import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { type KeyFiles, keyFilesIn } from '../pki/key-files.js';
import { privateDirectory, shred } from '../store/files.js';

/** Where an instance's agent keeps what is its own. Everything in `disk` survives a restart of the machine. */
export interface AgentFiles extends KeyFiles {
  readonly userData: string;
  readonly metadata: string;
  readonly disk: string;
  readonly conf: string;
  /** The machine's identity: whom the environment trusts (the CA that issues first), and its own certificate. */
  readonly identity: string;
  readonly ca: string;
  /** What the CA before the present one says of it; none before the first rotation. */
  readonly voucher: string;
  /** The machine's own certificate and key in one file, as all that follow: both change at once. */
  readonly own: string;
  /** What the first certificate is asked for with: a key, and the request for it. */
  readonly enrolment: { readonly key: string; readonly request: string };
  /** What only controllers know; shredded as a whole when the machine stops being one. */
  readonly controller: string;
  readonly temporal: string;
  /** mongod's. */
  readonly member: string;
  /** The certificate that API server and worker log in to MongoDB with. */
  readonly state: string;
  /** The certificate that may change the replica set. */
  readonly membership: string;
  readonly apiConfig: string;
  readonly workerConfig: string;
  /** Where API server and worker say which certificates they go by. */
  readonly apiLoaded: string;
  readonly workerLoaded: string;
  /** What of the machine's status the environment does not have yet. */
  readonly statusLog: string;
  readonly logs: string;
  /** mongod's own. */
  readonly mongodLog: string;
  /** The machine's console, where the agent writes. */
  readonly console: string;
  /** One file for each service's process, so that one that outlived the agent is found. */
  readonly run: string;
  dataDirectory(memberId: number): string;
}

export function agentFiles(instanceDirectory: string): AgentFiles {
  const disk = path.join(instanceDirectory, 'disk');
  const identity = path.join(disk, 'identity');
  const controller = path.join(disk, 'controller');
  return {
    userData: path.join(instanceDirectory, 'user-data.json'),
    metadata: path.join(instanceDirectory, 'metadata.json'),
    disk,
    conf: path.join(disk, 'agent.conf'),
    identity,
    ca: path.join(identity, 'ca.crt'),
    voucher: path.join(identity, 'voucher.crt'),
    own: path.join(identity, 'agent.pem'),
    enrolment: { key: path.join(identity, 'enrol.key'), request: path.join(identity, 'enrol.csr') },
    controller,
    ...keyFilesIn(controller),
    temporal: path.join(controller, 'temporal.json'),
    member: path.join(controller, 'member.pem'),
    state: path.join(controller, 'state.pem'),
    membership: path.join(controller, 'membership.pem'),
    apiConfig: path.join(controller, 'api.json'),
    workerConfig: path.join(controller, 'worker.json'),
    apiLoaded: path.join(disk, 'run', 'api.loaded'),
    workerLoaded: path.join(disk, 'run', 'worker.loaded'),
    statusLog: path.join(disk, 'status-log'),
    logs: path.join(disk, 'log'),
    mongodLog: path.join(disk, 'log', 'mongod-server.log'),
    console: path.join(instanceDirectory, 'console.log'),
    run: path.join(disk, 'run'),
    dataDirectory: (memberId) => path.join(disk, `mongod-${memberId}`),
  };
}

/** The logs of a controller's programs; mongod has two, and what it says before it opens its own stands in the first. */
export function logsOf({ console, logs, mongodLog }: AgentFiles): { program: string; file: string }[] {
  const services = ['mongod', 'api', 'worker'].map((program) => ({ program, file: path.join(logs, `${program}.log`) }));
  return [{ program: 'agent', file: console }, ...services, { program: 'mongod', file: mongodLog }];
}

/** Creates the directories; nobody else may look into them. */
export async function makeDirectories(files: AgentFiles): Promise<void> {
  for (const directory of [files.disk, files.identity, files.controller, files.logs, files.run]) {
    await privateDirectory(directory);
  }
}

/** Shreds every file of a flat directory. */
export async function shredDirectory(directory: string): Promise<void> {
  for (const name of await readdir(directory)) await shred(path.join(directory, name));
}
