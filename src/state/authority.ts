import type { MachineId } from '../membership/types.js';
import { fingerprint } from '../pki/certificate.js';
import { certificatesIn, issuerIn } from '../pki/trust.js';
import type { AuthorityState } from './authority-documents.js';
import type { EnvironmentDocument } from './documents.js';
import { advanceEnvironment, checkFence, type Fence, stale } from './fence.js';
import { refuseUnlessAlive, replaceMachine } from './machines.js';
import { databaseTime, type State, transaction } from './state.js';

/** A CA that was just made; its key lies on the controller that made it. */
export interface NextAuthority {
  /** PEM */
  readonly certificate: string;
  /** PEM: by the present CA. */
  readonly voucher: string;
  /** PEM of the present CA, for an environment that was never rotated. */
  readonly present: string;
  /** The machine that holds its key. */
  readonly maker: MachineId;
  /** First run ID of the change that it was made for. */
  readonly change: string;
}

/**
 * The next CA is trusted beside the present one. Refused as `stale` while another rotation is further on; one that has just
 * begun may have lost its next CA, which nothing was issued by yet.
 */
export async function trustNext(state: State, fence: Fence, next: NextAuthority): Promise<EnvironmentDocument> {
  const { certificate, voucher, present, maker, change } = next;
  return await step(state, fence, [undefined, 'done', 'trusting'], (environment, since) => ({
    version: (environment.authority?.version ?? 0) + 1,
    phase: 'trusting',
    trusted: (environment.authority === undefined ? present : issuerIn(environment.authority.trusted)) + certificate,
    voucher,
    since,
    firstMachine: environment.nextMachine,
    maker,
    change,
    left: [],
  }));
}

/**
 * The next CA issues from now on.
 * @param sealed how Temporal is reached, under the next boot key; null where that does not stand in the documents
 */
export async function issueByNext(state: State, fence: Fence, sealed: string | null): Promise<EnvironmentDocument> {
  return await step(
    state,
    fence,
    ['trusting'],
    ({ nextMachine: firstMachine }, since, before) => ({
      ...before,
      version: before.version + 1,
      phase: 'issuing',
      trusted: certificatesIn(before.trusted).reverse().join(''),
      since,
      firstMachine,
    }),
    ({ temporal }) => (sealed === null ? {} : { temporal: { ...temporal, sealed } }),
  );
}

/** The CA before is no longer trusted. `left`: machines that are known to trust nothing else. */
export async function dropPrevious(
  state: State,
  fence: Fence,
  left: readonly MachineId[],
): Promise<EnvironmentDocument> {
  return await step(
    state,
    fence,
    ['issuing'],
    (_, since, before) => ({
      ...before,
      version: before.version + 1,
      phase: 'dropping',
      trusted: issuerIn(before.trusted),
      since,
      left: [...left],
    }),
    (_, { trusted }) => ({ caFingerprint: fingerprint(trusted) }),
  );
}

/** Everybody has heard it: who knew the keys before and is no controller knows nothing any more. */
export async function endRotation(state: State, fence: Fence): Promise<void> {
  await transaction(state, async (session) => {
    const environment = await checkFence(state, session, fence);
    const { authority } = environment;
    if (authority?.phase !== 'dropping') throw stale('the rotation is not at its end');
    const knew = await state.machines.find({ knewKeys: true }, { session }).toArray();
    for (const machine of knew) {
      if (!machine.jobs.includes('manage-environ')) await replaceMachine(state, session, machine, { knewKeys: false });
    }
    await advanceEnvironment(state, session, environment, { authority: { ...authority, phase: 'done' } });
  });
}

async function step(
  state: State,
  fence: Fence,
  from: readonly (AuthorityState['phase'] | undefined)[],
  next: (environment: EnvironmentDocument, now: Date, before: AuthorityState) => AuthorityState,
  besides: (environment: EnvironmentDocument, authority: AuthorityState) => Partial<EnvironmentDocument> = () => ({}),
): Promise<EnvironmentDocument> {
  const now = await databaseTime(state);
  return await transaction(state, async (session) => {
    const environment = await checkFence(state, session, fence);
    refuseUnlessAlive(environment);
    if (!from.includes(environment.authority?.phase)) throw stale('another step of the rotation was made meanwhile');
    const authority = next(environment, now, environment.authority as AuthorityState);
    return await advanceEnvironment(state, session, environment, { ...besides(environment, authority), authority });
  });
}
