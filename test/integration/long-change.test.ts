/** A change whose history has grown too long for one run. Temporal suggests the next run after 4096 events; here after 40. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Changes } from '../../src/api/changes.js';
import type { ApiClient } from '../../src/client/client.js';
import { openClient } from '../../src/client/open.js';
import { SteadyWriter } from '../../src/client/steady-writer.js';
import { openStore } from '../../src/store/store.js';
import { connectTemporal, type Temporal } from '../../src/temporal/connect.js';
import { environmentKey, SINGLETONS, workflowIds } from '../../src/temporal/names.js';
import { WRITER_PAUSE_MS } from '../support/environment.js';
import { Home } from '../support/home.js';
import { ownTemporal } from '../support/temporal.js';

let home: Home;
let client: ApiClient;
let temporal: Temporal;
let key: string;

beforeAll(async () => {
  home = new Home();
  const { address } = await ownTemporal(home, { 'limit.historyCount.suggestContinueAsNew': 40 });
  temporal = await connectTemporal({ target: { address, namespace: 'default' } });
  await home.ok('bootstrap', 'local', 'demo');
  const store = await openStore(home.env);
  client = await openClient(store, 'demo');
  const { name, uuid } = (await store.readEnvironment('demo')) ?? { name: '', uuid: '' };
  key = environmentKey(name, uuid);
}, 120_000);
afterAll(async () => {
  client?.close();
  await temporal?.connection.close();
  await home?.close();
}, 60_000);

/** How the runs of a workflow ended, the oldest first. */
async function runsOf(workflowId: string, type: string): Promise<string[]> {
  const runs: { status: string; at: Date }[] = [];
  const query = `WorkflowId = '${workflowId}' AND WorkflowType = '${type}'`;
  for await (const { status, startTime } of temporal.client.workflow.list({ query })) {
    runs.push({ status: status.name, at: startTime });
  }
  return runs.sort((a, b) => a.at.getTime() - b.at.getTime()).map(({ status }) => status);
}

test('it goes on in further runs as one change with one story, whole for who follows it and who reads it later', async () => {
  const writer = new SteadyWriter(client, 'long-change');
  writer.start(WRITER_PAUSE_MS);
  for (const [kind, type] of [
    ['enable-ha', 'enableHa'],
    ['disable-ha', 'disableHa'],
  ] as const) {
    const { code, stderr } = await home.run(kind);
    expect(code, stderr).toBe(0);

    const runs = await runsOf(workflowIds.membership(key), type);
    expect(runs.length).toBeGreaterThan(1);
    expect(runs.slice(0, -1).every((status) => status === 'CONTINUED_AS_NEW')).toBe(true);
    expect(runs.at(-1)).toBe('COMPLETED');

    const { changes } = (await client.request<Changes>('GET', '/v1/changes')).body;
    expect(changes.filter((change) => change.kind === kind)).toHaveLength(1);
    const [change] = changes;
    expect(change).toMatchObject({ kind, state: 'done' });
    const steps = change?.steps.filter(({ state }) => state === 'done').map(({ text }) => text) ?? [];
    const votes = steps.filter((text) => /\bvote (to|of)\b/.test(text));
    expect(new Set(votes).size).toBeGreaterThanOrEqual(kind === 'enable-ha' ? 2 : 1);
    // Who follows is told the same steps in the same order.
    const told = stderr.split('\n').filter((line) => /^[✓+] /.test(line));
    expect(told).toEqual(steps.map((text) => expect.stringContaining(text)));
  }
  for (const name of SINGLETONS) {
    expect((await temporal.client.workflow.getHandle(workflowIds.singleton(key, name)).describe()).status.name).toBe(
      'RUNNING',
    );
  }
  await writer.stop();
  expect(await writer.missing()).toEqual([]);
}, 300_000);
