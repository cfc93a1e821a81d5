import type { ClientSession } from 'mongodb';
import { sameRules, withExposed, withoutExposed } from '../machines/exposure.js';
import { leftOpen, type OpenPorts } from '../machines/open-ports.js';
import type { PortRange, PortRule } from '../machines/ports.js';
import type { MachineId } from '../membership/types.js';
import type { IngressWanted, MachineDocument } from './documents.js';
import { checkFence, type Epoch } from './fence.js';
import { aliveEnvironment, noMachine, replaceMachine } from './machines.js';
import { once, type Request } from './requests.js';
import { type State, transaction } from './state.js';

/** The ports of machines that people expose, and what the firewaller knows of them. */

const NOTHING: IngressWanted = { rules: [], version: 0, applied: 0, address: '', error: '' };

/** Exposes ports of a machine besides those that are exposed; answers all of them. Asked again it answers the same. */
export async function exposePorts(
  state: State,
  given: { readonly machine: MachineId; readonly rules: readonly PortRule[]; readonly request: Request },
  limitMs?: number,
): Promise<readonly PortRule[]> {
  return await changeRules(
    state,
    given,
    ({ _id: id, life }, rules) => withExposed({ id, life, rules }, given.rules),
    limitMs,
  );
}

/** Takes ports away from those that are exposed; answers what is left. Asked again it answers the same. */
export async function unexposePorts(
  state: State,
  given: { readonly machine: MachineId; readonly ports: readonly PortRange[]; readonly request: Request },
  limitMs?: number,
): Promise<readonly PortRule[]> {
  return await changeRules(state, given, ({ _id: id }, rules) => withoutExposed({ id, rules }, given.ports), limitMs);
}

async function changeRules(
  state: State,
  { machine: id, request }: { readonly machine: MachineId; readonly request: Request },
  change: (machine: MachineDocument, rules: readonly PortRule[]) => PortRule[],
  limitMs?: number,
): Promise<readonly PortRule[]> {
  const { rules } = await once(
    state,
    request,
    async (session) => {
      await aliveEnvironment(state, session);
      const machine = await machineNamed(state, session, id);
      const ingress = machine.ingress ?? NOTHING;
      const rules = change(machine, ingress.rules);
      if (!sameRules(rules, ingress.rules)) {
        await replaceMachine(state, session, machine, {
          ingress: { ...ingress, rules, version: ingress.version + 1, error: '' },
        });
      }
      return { rules };
    },
    limitMs,
  );
  return rules;
}

/** What came of opening a machine's ports: with an error it is tried again. */
export interface PortsOpened {
  readonly machine: MachineId;
  /** Of the rules that were opened. */
  readonly version: number;
  readonly address: string;
  readonly error: string;
}

/** Writes it down, unless other rules are wanted by now or the machine is gone; the same again changes nothing. */
export async function recordOpened(state: State, fence: Epoch, opened: PortsOpened): Promise<void> {
  await transaction(state, async (session) => {
    await checkFence(state, session, fence);
    const machine = await state.machines.findOne({ _id: opened.machine }, { session });
    const { ingress } = machine ?? {};
    if (!machine || ingress?.version !== opened.version) return;
    const { error } = opened;
    const address = opened.address || ingress.address;
    const applied = error === '' ? opened.version : ingress.applied;
    if (ingress.address === address && ingress.error === error && ingress.applied === applied) return;
    await replaceMachine(state, session, machine, { ingress: { ...ingress, address, error, applied } });
  });
}

/** What was judged of what is open. */
export interface OpenJudged {
  /** Machines whose ports are to be put right: their documents say so now. */
  readonly differing: readonly MachineId[];
  /** Instances that have ports open and belong to no machine that has any. */
  readonly leftovers: readonly string[];
}

/**
 * Compares what is open, as the cloud says, with what is known to be in effect. Where that is not so any more, the same rules
 * are wanted anew, by the next version. What is being opened at this moment is not judged.
 */
export async function judgeOpen(state: State, fence: Epoch, open: readonly OpenPorts[]): Promise<OpenJudged> {
  return await transaction(state, async (session) => {
    const environment = await checkFence(state, session, fence);
    if (environment.life !== 'alive') return { differing: [], leftovers: [] };
    const machines = await state.machines.find({ ingress: { $exists: true } }, { session }).toArray();
    const { differing, leftovers } = leftOpen(machines, open);
    for (const machine of machines) {
      if (!differing.includes(machine._id) || machine.ingress === undefined) continue;
      const { version } = machine.ingress;
      await replaceMachine(state, session, machine, { ingress: { ...machine.ingress, version: version + 1 } });
    }
    return { differing, leftovers };
  });
}

async function machineNamed(state: State, session: ClientSession, id: MachineId): Promise<MachineDocument> {
  const machine = await state.machines.findOne({ _id: id }, { session });
  if (machine !== null) return machine;
  const others = await state.machines.find({}, { session, projection: { _id: 1 } }).toArray();
  throw noMachine(
    id,
    others.map(({ _id }) => _id),
  );
}
