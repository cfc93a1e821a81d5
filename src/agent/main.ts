import { QuorateError, reasonOf } from '../errors.js';
import { MachineAgent } from './agent.js';
import { readConf } from './conf.js';
import { agentFiles, makeDirectories } from './files.js';
import { Machine } from './machine.js';
import { makeEnvironment } from './machine-zero.js';
import { readMetadata, readUserData } from './user-data.js';

/** `quorated`: the machine agent's process. What it prints is the machine's console. */
async function main(): Promise<void> {
  const directory = process.env.QUORATE_INSTANCE_DIR;
  if (directory === undefined) throw new QuorateError('no-instance', 'QUORATE_INSTANCE_DIR is not set.');
  process.umask(0o077);
  const files = agentFiles(directory);
  const [userData, metadata] = await Promise.all([readUserData(files.userData), readMetadata(files.metadata)]);
  await makeDirectories(files);
  const read = await readConf(files.conf);
  for (const note of read.notes) console.error(note);
  const conf = read.conf ?? (await makeEnvironment(files, userData, metadata));
  const agent = new MachineAgent(new Machine(files, metadata, conf), userData);
  const stop = async () => {
    await agent.stop();
    process.exit(0);
  };
  process.once('SIGTERM', () => void stop());
  process.once('SIGINT', () => void stop());
  await agent.start();
  console.log(`quorated runs as machine ${conf.machine} of ${conf.environment.name}.`);
}

main().catch((error) => {
  const known = error instanceof QuorateError;
  console.error(known ? `${error.message} ${error.todo}`.trimEnd() : ((error as Error).stack ?? reasonOf(error)));
  process.exit(1);
});
