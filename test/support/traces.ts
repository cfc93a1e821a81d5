import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { openLocalCloud } from '../../src/cloud/local/open.js';
import type { EnvironmentRecord, Store } from '../../src/store/store.js';
import type { Temporal } from '../../src/temporal/connect.js';
import { environmentKey } from '../../src/temporal/names.js';
import { processesOf } from './home.js';
import { leftOf } from './namespaces.js';
import { onTemporal } from './temporal.js';

/** Temporal lists its workflows a little later than it ends them, and who is only asked for a plan has half a minute. */
const WORKFLOWS_END_MS = 40_000;

/** Where an environment of the local cloud can leave traces, noted while it is there, to be looked at once it is destroyed. */
export class Traces {
  private constructor(
    private readonly store: Store,
    private readonly record: EnvironmentRecord,
    /** host:port of every listener that its instances were given. */
    private readonly listeners: readonly string[],
  ) {}

  static async of(store: Store, name: string): Promise<Traces> {
    const record = await store.readEnvironment(name);
    if (record === null) throw new Error(`there is no environment ${name} that could leave traces`);
    const { uuid, region } = record;
    // With namespaces the network goes with its devices, which are looked for instead: its addresses are then somebody
    // else's, out on the network.
    const instances = region === 'namespace' ? [] : await openLocalCloud(store.dirs.localCloud, region).list(uuid);
    const listeners = instances.flatMap(({ address, ports }) =>
      address === '' ? [] : Object.values(ports).map((port) => `${address}:${port}`),
    );
    return new Traces(store, record, listeners);
  }

  /** What is left of it, a sentence each; empty when it is gone without a trace. Starts nothing. */
  async left(): Promise<string[]> {
    const { name, uuid, region } = this.record;
    const { data, localCloud } = this.store.dirs;
    const own = join(localCloud, uuid);
    const left = processesOf(own).map(({ pid, command }) => `process ${pid}: ${command.slice(0, 160)}`);
    for (const path of [join(data, 'environments', name), own]) {
      // A lock is a directory beside what it locks.
      const there = await entriesOf(dirname(path));
      left.push(...[path, `${path}.lock`].filter((each) => there.has(each)).map((each) => `the directory ${each}`));
    }
    if ((await this.store.current()) === name) left.push('it is still the current environment');
    if (region === 'namespace') left.push(...leftOf(own).map((each) => `on the host: ${each}`));
    for (const listener of this.listeners) if (await listens(listener)) left.push(`somebody listens on ${listener}`);
    return [...left, ...(await onTemporal(this.store, (temporal) => workflowsLeft(temporal, this.record)))];
  }
}

/** Workflows of an environment that is gone and that run still, once they have had the time to end; a sentence each. */
export async function workflowsLeft(
  { client }: Temporal,
  { name, uuid }: Pick<EnvironmentRecord, 'name' | 'uuid'>,
): Promise<string[]> {
  const query = `ExecutionStatus = 'Running' AND WorkflowId STARTS_WITH '${environmentKey(name, uuid)}'`;
  const deadline = performance.now() + WORKFLOWS_END_MS;
  for (;;) {
    const running: string[] = [];
    for await (const { workflowId, type } of client.workflow.list({ query })) {
      running.push(`workflow ${workflowId} (${type}) runs`);
    }
    if (running.length === 0 || performance.now() > deadline) return running;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Paths of all that lies in a directory that may not be there. */
async function entriesOf(directory: string): Promise<ReadonlySet<string>> {
  try {
    return new Set((await readdir(directory)).map((name) => join(directory, name)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Set();
    throw error;
  }
}

/** Whether a connection is taken. */
function listens(listener: string): Promise<boolean> {
  const [host, port] = listener.split(':');
  return new Promise((resolve) => {
    const socket = connect({ host: host ?? '', port: Number(port), timeout: 2000 });
    const tell = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => tell(true));
    socket.once('error', () => tell(false));
    socket.once('timeout', () => tell(false));
  });
}
