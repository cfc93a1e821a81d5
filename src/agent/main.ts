import './small-heap.js';
import { readdir } from 'node:fs/promises';
import type { InstanceMetadata, UserData } from '../boot/user-data.js';
import { QuorateError } from '../errors.js';
import { log, writeAs } from '../log/log.js';
import { packageVersion } from '../package.js';
import { startTracing } from '../tracing/tracing.js';
import { MachineAgent } from './agent.js';
import { type AgentConf, readConf } from './conf.js';
import { type AgentFiles, agentFiles, makeDirectories } from './files.js';
import { Machine } from './machine.js';
import { say } from './say.js';
import { StatusLog } from './status-log/status-log.js';
import { readMetadata, readUserData } from './user-data.js';

/** `quorated`: the machine agent's process. What it prints is the machine's console. */
async function main(): Promise<void> {
  const directory = process.env.QUORATE_INSTANCE_DIR;
  if (directory === undefined) throw new QuorateError('no-instance', 'QUORATE_INSTANCE_DIR is not set.');
  process.umask(0o077);
  const files = agentFiles(directory);
  const [userData, metadata] = await Promise.all([readUserData(files.userData), readMetadata(files.metadata)]);
  writeAs({ program: 'agent', machine: userData.machine, environment: userData.environment.name });
  const tracing = await startTracing(
    { name: 'quorate-agent', machine: userData.machine, environment: userData.environment.name },
    (sentence) => say(sentence, 'warn'),
  );
  await makeDirectories(files);
  const statusLog = await StatusLog.open(files.statusLog);
  statusLog.note('agent', 'started', `Version ${packageVersion()} runs as process ${process.pid}.`);
  const conf = await confOf(files, userData, metadata, statusLog);
  const agent = await MachineAgent.of(new Machine(files, metadata, conf), userData, statusLog);
  const leave = async () => {
    await agent.stop();
    await tracing?.end();
    process.exit(0);
  };
  process.once('SIGTERM', () => void leave());
  process.once('SIGINT', () => void leave());
  process.on('SIGHUP', () => void agent.renewCertificates());
  say(`quorated runs as machine ${conf.machine} of ${conf.environment.name}.`);
  await agent.run();
  say(`Machine ${conf.machine} is no part of ${conf.environment.name} any more.`);
  await leave();
}

async function confOf(
  files: AgentFiles,
  userData: UserData,
  metadata: InstanceMetadata,
  statusLog: StatusLog,
): Promise<AgentConf> {
  const { conf, notes, lost } = await readConf(files.conf);
  for (const note of notes) say(note, 'warn');
  if (notes.length > 0) statusLog.note('conf', conf === null ? 'lost' : 'healed', notes.join(' '));
  if (conf !== null) return conf;
  const used = lost || (await readdir(files.disk)).some((name) => /^mongod-\d+$/.test(name));
  if (userData.ca !== '') {
    // The identity may be whole: then the controllers say what is to be done.
    const { enrolMachine } = await import('./enrolment.js');
    return await enrolMachine(files, userData, metadata);
  }
  if (used) {
    throw new QuorateError('conf-lost', `What machine ${userData.machine} was told is lost with ${files.conf}.`, {
      todo: `Its data is untouched. Put a whole agent.conf back, or replace the machine: quorate replace ${userData.machine}`,
    });
  }
  const { makeEnvironment } = await import('./machine-zero.js');
  return await makeEnvironment(files, userData, metadata);
}

/** Its own console has one command besides. */
async function command(): Promise<void> {
  const [name, ...given] = process.argv.slice(2);
  if (name === undefined) return await main();
  if (name !== 'recover-access') throw new QuorateError('bad-usage', `quorated knows no ${name}.`);
  const { recoverAccess } = await import('./recover-access.js');
  await recoverAccess(given);
}

command().catch((error) => {
  const known = error instanceof QuorateError;
  if (known) say(`${error.message} ${error.todo}`.trimEnd(), 'error');
  else log().fatal({ err: error }, 'The agent failed; it is a defect.');
  process.exit(1);
});
