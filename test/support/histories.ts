import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import { packageRoot } from '../../src/package.js';

const RECORD = process.env.QUORATE_RECORD_HISTORIES === '1';
const NAMES_THIS_MACHINE: ReadonlySet<string> = new Set(['identity', 'stackTrace']);

/**
 * A run's history. With QUORATE_RECORD_HISTORIES=1 it is kept in test/histories, without what names this machine: replayed by
 * the replay tests, and the source of the crash tests' cases.
 *
 * @param name of the file: the workflow's type, and after a hyphen what differs from other runs of that type
 * @param before how many of its first events are not part of what the file is named for
 */
export async function record(name: string, handle: WorkflowHandle, before = 0) {
  const [history, description] = await Promise.all([handle.fetchHistory(), handle.describe()]);
  if (RECORD) {
    const directory = join(packageRoot(), 'test/histories');
    mkdirSync(directory, { recursive: true });
    const kept = {
      workflowId: handle.workflowId,
      ...(before > 0 ? { before } : {}),
      history: proto.temporal.api.history.v1.History.fromObject(history).toJSON(),
    };
    const text = JSON.stringify(kept, (field, value) => (NAMES_THIS_MACHINE.has(field) ? undefined : value));
    writeFileSync(join(directory, `${name}.json`), `${text}\n`);
  }
  return { history, description };
}
