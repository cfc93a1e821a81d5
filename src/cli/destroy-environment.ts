import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { duration } from '../api/duration.js';
import type { Engine } from '../engine/engine.js';
import { QuorateError, usageError } from '../errors.js';
import { type EnvironmentRecord, openStore, type Store } from '../store/store.js';
import { cancelChange, startChange } from '../temporal/changes.js';
import { chooseEnvironment } from './environment.js';
import { follow, mustBeDone } from './follow.js';
import type { OutputOptions } from './output.js';
import { telling } from './servers.js';
import { changeInput, connectEngine, isItsOwn, refuseOther } from './temporal.js';

interface Options extends OutputOptions {
  readonly yes?: boolean;
  readonly force?: boolean;
}

export function configure(command: Command): void {
  command
    .argument('<environment>', 'its name')
    .option('--yes', 'do not ask')
    .option('--force', 'cancel a change that runs, and go on although no controller answers')
    .option('--ascii', 'plain ASCII instead of symbols')
    .addHelpText(
      'after',
      '\nExamples:\n  quorate destroy-environment demo\n  quorate destroy-environment demo --yes --force',
    )
    .action(async (name: string, options: Options) => {
      const store = await openStore();
      const record = await chooseEnvironment(store, name);
      if (!options.yes) await confirm(record);
      const began = performance.now();
      const text = await destroyEnvironment(store, record.name, options);
      if (text !== null) process.stdout.write(`${text}. ${duration((performance.now() - began) / 1000)}\n`);
    });
}

/** Ends an environment and forgets it. @returns what was done, or null when the operator detached */
export async function destroyEnvironment(store: Store, name: string, options: Options): Promise<string | null> {
  const record = await chooseEnvironment(store, name);
  const { ensureEngine } = await import('../engine/engine.js');
  const engine = await ensureEngine(store.dirs, telling);
  if (options.force) await takeHere(store, record, engine);
  else refuseOther(record, engine);
  const temporal = await connectEngine(engine);
  try {
    const input = changeInput(record, engine);
    // A bootstrap under way would start again what is ended here; a bootstrap that never ended has no documents to write.
    const bootstrapping = (await store.authority(name)) === null;
    const force = options.force === true || bootstrapping;
    await cancelChange(temporal, input.key, 'bootstrap');
    if (force) await cancelChange(temporal, input.key, 'enableHa');
    const change = await startChange(temporal, 'destroy', {
      ...input,
      cloud: record.cloud,
      region: record.region,
      force,
    });
    const end = await follow(change, options, `quorate watch -e ${name}`);
    if (end === null) return null;
    mustBeDone(end, `the end of ${name}`);
    await store.removeEnvironment(name);
    return end.result;
  } finally {
    await temporal.connection.close();
  }
}

/** By force an environment is ended from whatever Temporal there is: its own may be lost, and its majority too. */
async function takeHere(store: Store, { name, temporal }: EnvironmentRecord, engine: Engine): Promise<void> {
  if (isItsOwn(temporal, engine)) return;
  const { address, namespace, clusterId } = engine;
  await store.updateEnvironment(name, (now) => ({ ...now, temporal: { address, namespace, clusterId } }));
}

async function confirm({ name, cloud }: EnvironmentRecord): Promise<void> {
  if (!process.stdin.isTTY) {
    throw usageError('not-confirmed', `${name} and all its data would be gone for good.`, 'Say so with --yes.');
  }
  const question = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await question.question(
      `This ends every instance of ${name} (${cloud}) and all its data, for good. Type its name to go on: `,
    );
    if (answer.trim() !== name) throw new QuorateError('not-confirmed', `${name} was not destroyed: the name differs.`);
  } finally {
    question.close();
  }
}
