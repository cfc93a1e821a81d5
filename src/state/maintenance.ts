import type { ClientSession } from 'mongodb';
import { QuorateError, usageError } from '../errors.js';
import type { MachineId } from '../membership/types.js';
import type { MachineDocument } from './documents.js';
import { advanceEnvironment } from './fence.js';
import { aliveEnvironment, noMachine, replaceMachine } from './machines.js';
import { once, type Request } from './requests.js';
import { durationMs } from './settings.js';
import { databaseTime, type State } from './state.js';

/** Maintenance: for a while a machine may be away, and nothing is done to it. It ends by itself, by the database's clock. */

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const LONGEST_MS = 24 * HOUR;

/** One that votes, as the replica set says. */
export interface Voter {
  /** null: it belongs to no known machine. */
  readonly machine: MachineId | null;
  readonly healthy: boolean;
}

/** Milliseconds of what was typed after `--for`; refuses what is no duration, less than a second or more than a day. */
export function maintenanceMs(text: string): number {
  const ms = durationMs(text.trim());
  const todo = 'Say it as 30s, 10m or 2h; at most 24h.';
  if (ms === null) throw usageError('bad-duration', `${JSON.stringify(text.slice(0, 80))} is no duration.`, todo);
  if (ms < SECOND || ms > LONGEST_MS) {
    throw usageError('bad-duration', `A maintenance lasts between 1s and 24h, not ${text.trim().slice(0, 80)}.`, todo);
  }
  return ms;
}

/** Milliseconds until a machine's maintenance ends; 0 when it is under none. `now` is the database's time. */
export function maintenanceLeft({ maintenanceUntil }: Pick<MachineDocument, 'maintenanceUntil'>, now: Date): number {
  return maintenanceUntil === null ? 0 : Math.max(0, maintenanceUntil.getTime() - now.getTime());
}

/**
 * Why a machine may not be put under maintenance; null when it may. Counted as if it and all others that are under
 * maintenance were away already: a majority of the voters must be left. Pure.
 */
export function maintenanceRefusal(
  machine: MachineDocument,
  machines: readonly MachineDocument[],
  voters: readonly Voter[],
  now: Date,
): QuorateError | null {
  const who = `Machine ${machine._id}`;
  if (machine.life !== 'alive') {
    return new QuorateError('machine-not-alive', `${who} is ${machine.life}: there is nothing to maintain.`);
  }
  // It may be away already, so that more time changes nothing.
  if (maintenanceLeft(machine, now) > 0 || !voters.some((voter) => voter.machine === machine._id)) return null;
  if (voters.length === 1) {
    return new QuorateError('no-majority', `${who} is the only controller: while it is away, nothing works.`, {
      todo: 'Have three first: quorate enable-ha',
    });
  }
  const resting = (id: MachineId | null) =>
    machines.some((other) => other._id === id && other._id !== machine._id && maintenanceLeft(other, now) > 0);
  const others = voters.filter((voter) => voter.machine !== machine._id);
  const maintained = others.filter((voter) => resting(voter.machine));
  const silent = others.filter((voter) => !voter.healthy && !resting(voter.machine));
  const left = others.length - maintained.length - silent.length;
  const majority = Math.floor(voters.length / 2) + 1;
  if (left >= majority) return null;
  const names = (which: readonly Voter[]) => which.map((voter) => `machine ${voter.machine ?? '?'}`).join(', ');
  const why = [
    maintained.length > 0 ? `under maintenance: ${names(maintained)}` : '',
    silent.length > 0 ? `not answering: ${names(silent)}` : '',
  ].filter((words) => words !== '');
  const first = maintained[0]?.machine;
  return new QuorateError(
    'no-majority',
    `${who} cannot be away too: ${left} of ${voters.length} voters would be left, and a majority is ${majority}${why.length > 0 ? ` (${why.join('; ')})` : ''}.`,
    {
      todo: first
        ? `End the other one first: quorate maintenance ${first} --end`
        : 'See what is missing: quorate status',
    },
  );
}

/** Puts a machine under maintenance for so long from now, or sets another end. Asked again it answers the same. */
export async function startMaintenance(
  state: State,
  given: {
    readonly machine: MachineId;
    readonly forMs: number;
    readonly voters: readonly Voter[];
    readonly request: Request;
  },
  limitMs?: number,
): Promise<{ readonly until: string }> {
  const now = await databaseTime(state);
  const maintenanceUntil = new Date(now.getTime() + given.forMs);
  return await once(
    state,
    given.request,
    async (session) => {
      const machines = await state.machines.find({}, { session }).toArray();
      const machine = machineAmong(machines, given.machine);
      const refusal = maintenanceRefusal(machine, machines, given.voters, now);
      if (refusal !== null) throw refusal;
      await writeMaintenance(state, session, machine, maintenanceUntil);
      return { until: maintenanceUntil.toISOString() };
    },
    limitMs,
  );
}

/** Ends a machine's maintenance now. Asked again it answers the same. */
export async function endMaintenance(
  state: State,
  given: { readonly machine: MachineId; readonly request: Request },
  limitMs?: number,
): Promise<void> {
  const now = await databaseTime(state);
  await once(
    state,
    given.request,
    async (session) => {
      const machine = machineAmong(await state.machines.find({}, { session }).toArray(), given.machine);
      if (maintenanceLeft(machine, now) === 0) {
        throw new QuorateError(
          'no-maintenance',
          `Machine ${machine._id} is under no maintenance; nothing was changed.`,
        );
      }
      await writeMaintenance(state, session, machine, null);
      return {};
    },
    limitMs,
  );
}

/** The environment's version rises too, so that what was planned on the machine before is refused. */
async function writeMaintenance(
  state: State,
  session: ClientSession,
  machine: MachineDocument,
  maintenanceUntil: Date | null,
): Promise<void> {
  const environment = await aliveEnvironment(state, session);
  await advanceEnvironment(state, session, environment, {});
  await replaceMachine(state, session, machine, { maintenanceUntil });
}

function machineAmong(machines: readonly MachineDocument[], id: MachineId): MachineDocument {
  const machine = machines.find(({ _id }) => _id === id);
  if (machine !== undefined) return machine;
  throw noMachine(id);
}
