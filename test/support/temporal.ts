import type { WorkflowHandle } from '@temporalio/client';
import { engineConnection } from '../../src/engine/engine.js';
import type { Store } from '../../src/store/store.js';
import { connectTemporal, type Temporal } from '../../src/temporal/connect.js';
import { environmentKey, workflowIds } from '../../src/temporal/names.js';

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
