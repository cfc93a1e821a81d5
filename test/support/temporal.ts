import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { engineConnection } from '../../src/engine/engine.js';
import { freePort } from '../../src/engine/ports.js';
import { dirsOf } from '../../src/store/dirs.js';
import type { Store } from '../../src/store/store.js';
import { connectTemporal, type Temporal } from '../../src/temporal/connect.js';
import { environmentKey, workflowIds } from '../../src/temporal/names.js';
import { findServer } from '../../src/toolchain/find.js';
import { type Home, until } from './home.js';

/** A Temporal of the operator's own, which commands of the home use from now on; it ends with the home at the latest. */
export async function ownTemporal(
  home: Home,
  settings: Readonly<Record<string, number>> = {},
  more: readonly string[] = [],
): Promise<{ address: string; server: ChildProcess }> {
  const started = await startTemporal(home, await freePort(), settings, more);
  home.env.TEMPORAL_ADDRESS = started.address;
  return started;
}

/** Starts it, or starts it again with what it knew, and waits until it answers. */
export async function startTemporal(
  home: Home,
  port: number,
  settings: Readonly<Record<string, number>> = {},
  more: readonly string[] = [],
): Promise<{ address: string; server: ChildProcess }> {
  const { path } = await findServer('temporal', { cacheDir: dirsOf(home.env).toolchain });
  const args = ['server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port)];
  args.push('--db-filename', join(home.dir, 'own.db'));
  args.push(
    ...more,
    ...Object.entries(settings).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${value}`]),
  );
  const server = spawn(path, args, { env: home.env, stdio: 'ignore' });
  const address = `127.0.0.1:${port}`;
  await until('the operator’s own Temporal', async () => {
    await (await connectTemporal({ target: { address, namespace: 'default' } })).connection.close();
    return true;
  });
  return { address, server };
}

/** Does something with the engine's Temporal; starts nothing. */
export async function onTemporal<T>(store: Store, work: (temporal: Temporal) => Promise<T>): Promise<T> {
  const { connection: target } = await engineConnection(store.dirs);
  const temporal = await connectTemporal({ target });
  try {
    return await work(temporal);
  } finally {
    await temporal.connection.close();
  }
}

/** Does something with the latest change of an environment's controllers, as Temporal has it. */
export async function onMembership<T>(
  store: Store,
  name: string,
  work: (handle: WorkflowHandle) => Promise<T>,
): Promise<T> {
  const record = await store.readEnvironment(name);
  if (record === null) throw new Error(`there is no environment ${name}`);
  const id = workflowIds.membership(environmentKey(record.name, record.uuid));
  return await onTemporal(store, ({ client }) => work(client.workflow.getHandle(id)));
}

/** Types of the activities that a run had asked for and not heard of when it ended. */
export async function unfinishedActivities(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  const open = new Map<string, string>();
  for (const event of events ?? []) {
    const asked = event.activityTaskScheduledEventAttributes;
    if (asked) open.set(String(event.eventId), asked.activityType?.name ?? '');
    const closed =
      event.activityTaskCompletedEventAttributes ??
      event.activityTaskFailedEventAttributes ??
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskCanceledEventAttributes;
    if (closed) open.delete(String(closed.scheduledEventId));
  }
  return [...open.values()];
}

/** The events of a workflow's latest run and of all those that it goes on from, the oldest first. */
export async function eventsOverRuns(client: Client, workflowId: string) {
  const runs: NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>[] = [];
  for (let runId: string | undefined; ; ) {
    const events = (await client.workflow.getHandle(workflowId, runId).fetchHistory()).events ?? [];
    runs.unshift(events);
    runId = events[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || undefined;
    if (runId === undefined) return runs.flat();
  }
}
