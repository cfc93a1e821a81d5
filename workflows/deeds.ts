import type { ActivityDeed, DeedOutcome } from '../activities/deed.js';
import type { Observation } from '../activities/observe.js';
import type { ChangeRecord } from '../activities/record.js';
import type { Step } from '../src/membership/types.js';
import type { ChangeInput } from '../src/temporal/progress.js';
import { cloud, network } from './activities.js';
import { copyAddresses } from './addresses.js';

/**
 * The activity for each kind of deed. Every one carries the facts that it was decided on: the (version, term) of the
 * config for what touches the set, the version of the environment's document for what touches the state.
 */
export async function perform(
  input: ChangeInput,
  step: Extract<Step, { kind: 'do' }>,
  { observed, evidence }: Observation,
  record: ChangeRecord,
): Promise<DeedOutcome> {
  const { environment, key } = input;
  const activities = network(key, { as: 'deed', summary: step.text });
  const decision: ActivityDeed = {
    deed: step.deed,
    fence: step.fence,
    environmentVersion: observed.environmentVersion,
    evidence,
    record,
  };
  switch (step.deed.kind) {
    case 'join':
      return await activities.join(decision);
    case 'grant-vote':
      return await activities.grantVote(decision);
    case 'withdraw-vote':
      return await activities.withdrawVote(decision);
    case 'remove-members':
      return await activities.removeMembers(decision);
    case 'hand-over':
      return await activities.handOver(decision);
    case 'equal-priority':
      return await activities.equalPriority(decision);
    case 'set-timings':
      return await activities.setTimings(decision);
    case 'force-survivor':
      return await network(key, { as: 'passed-on', summary: step.text }).forceSurvivor(decision);
    case 'add-machines':
      return await activities.addMachines(decision);
    case 'add-jobs':
      return await activities.addJobs(decision);
    case 'publish': {
      const outcome = await activities.publish(decision);
      await copyAddresses(input, 'glance');
      return outcome;
    }
    case 'drop-jobs':
      return await activities.dropJobs(decision);
    case 'renew-member':
      return await activities.renewMember(decision);
    case 'mark-dying':
      return await activities.markDying(decision);
    case 'mark-dead':
      return await activities.markDead(decision);
    case 'terminate': {
      const { terminateInstance } = cloud(key, {
        as: 'deed',
        summary: step.text,
        within: { startToCloseTimeout: '30s' },
      });
      await terminateInstance({
        environment,
        machine: step.deed.machine,
        instance: null,
        nonce: null,
        by: 'membership',
      });
      return { applied: true, note: '' };
    }
  }
}
