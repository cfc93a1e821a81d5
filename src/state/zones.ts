import type { MachineId } from '../membership/types.js';
import { spread } from '../membership/zones.js';
import { checkFence, type Epoch, stale } from './fence.js';
import { replaceMachine } from './machines.js';
import { type State, transaction } from './state.js';

/**
 * A machine whose instance found no room in its zone goes to the emptiest of those that its constraints allow and that were
 * not tried yet. When all were, it stays, that is written down as the reason, and the next attempt begins with all of them
 * anew. `zone` is the one that was full, so that a late or second call moves nobody on. Whether another attempt makes sense
 * at once.
 */
export async function leaveZone(
  state: State,
  fence: Epoch,
  { id, nonce, zone }: { readonly id: MachineId; readonly nonce: string; readonly zone: string },
): Promise<boolean> {
  return await transaction(state, async (session) => {
    const environment = await checkFence(state, session, fence);
    const machine = await state.machines.findOne({ _id: id, nonce }, { session });
    if (machine === null) throw stale(`machine ${id} with this nonce is not known`);
    if (machine.zone !== zone || machine.instance !== null || machine.life !== 'alive') return true;
    const full = [...(machine.fullZones ?? []), zone];
    const allowed = machine.constraints?.zones ?? environment.zones;
    const left = allowed.filter((each) => !full.includes(each));
    if (left.length === 0) {
      const provisioningError = `No room in ${full.length === 1 ? 'zone' : 'any zone:'} ${full.sort().join(', ')}.`;
      await replaceMachine(state, session, machine, { provisioningError, fullZones: [] });
      return false;
    }
    // Like goes with like: controllers are spread among controllers.
    const alike = machine.memberId === null ? {} : { jobs: 'manage-state' as const };
    const others = await state.machines
      .find({ _id: { $ne: id }, life: 'alive', ...alike }, { session, projection: { zone: 1 } })
      .toArray();
    const [next = zone] = spread(
      left,
      others.map((other) => other.zone),
      1,
    );
    await replaceMachine(state, session, machine, { zone: next, fullZones: full });
    return true;
  });
}
