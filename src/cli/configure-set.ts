import type { Status } from '../api/status.js';
import type { ApiClient } from '../client/client.js';
import { QuorateError } from '../errors.js';
import { goalAsItIs } from '../membership/goal.js';
import { runningChange, startChange } from '../temporal/changes.js';
import { changeId, environmentKey } from '../temporal/names.js';
import { planChange } from '../temporal/planning.js';
import { follow, mustBeDone } from './follow.js';
import type { OutputOptions } from './output.js';
import { changeInput, openTemporal } from './temporal.js';

/**
 * Puts changed settings that are in the replica set's own config into effect and shows it: a change like any other, since
 * two reconfigs at once would be in each other's way. It adds and removes nobody, whatever is missing or too much.
 */
export async function configureSet(
  client: ApiClient,
  options: OutputOptions & { environment?: string },
): Promise<void> {
  const { ha } = (await client.request<Status>('GET', '/v1/status')).body;
  const { record, engine, temporal } = await openTemporal(options.environment);
  try {
    const key = environmentKey(record.name, record.uuid);
    const { goal, explanation } = await planChange(temporal, key, { kind: 'configure' });
    // Asked of the set and not of the settings: what was set while no change could be made takes effect now. An older
    // worker takes the question for another one, and its answer for nothing.
    const there = goal.settle && explanation.steps.length === 0 && explanation.end.kind === 'done';
    if (there && (await runningChange(temporal, key, changeId(key, 'configure'))) === null) {
      process.stderr.write('The replica set has these timings already.\n');
      return;
    }
    const change = await startChange(temporal, 'configure', {
      ...changeInput(record, engine),
      goal: goalAsItIs(ha.voters),
      from: ha.voters,
    });
    const end = await follow(change, options, `quorate watch ${change.id}`);
    if (end !== null) mustBeDone(end, change.id);
  } catch (error) {
    if (!(error instanceof QuorateError) || error.code !== 'change-running') throw error;
    // Every round of every change looks at the settings again.
    process.stderr.write(`${error.message} The settings take effect with it, or with the next change.\n`);
  } finally {
    await temporal.connection.close();
  }
}
