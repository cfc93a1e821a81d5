import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { openSealedByOneOf, sealConnection } from '../src/boot/sealed.js';
import { randomSecret } from '../src/boot/token.js';
import { QuorateError } from '../src/errors.js';
import { createAuthority, vouchFor } from '../src/pki/authority.js';
import { keepNext, readBootKeys, readNext } from '../src/pki/key-files.js';
import { issuingOf } from '../src/pki/trust.js';
import {
  nextRotationStep,
  type RotationAsked,
  type RotationFacts,
  type RotationStep,
} from '../src/rotation/rotation.js';
import { dropPrevious, endRotation, issueByNext, trustNext } from '../src/state/authority.js';
import type { EnvironmentDocument } from '../src/state/documents.js';
import { stale } from '../src/state/fence.js';
import { databaseTime } from '../src/state/state.js';
import { deciding } from './decision.js';
import { type DeedOutcome, refusedAsStale } from './deed.js';
import type { Network } from './network.js';
import { type ChangeRecord, writeRecordBeside } from './record.js';

export interface RotationRequest {
  readonly asked: Omit<RotationAsked, 'expired'>;
  /** A wait under way: return when the next step is another one, or at its end. null: return at once. */
  readonly wait: { readonly text: string; readonly leftMs: number | null } | null;
  readonly record: ChangeRecord;
}

export interface RotationSeen {
  readonly step: RotationStep;
  /** Version of the environment's document that the step was decided on. */
  readonly environmentVersion: number;
}

/** A step of a rotation with the facts that it was decided on. */
export interface RotationDeed {
  readonly change: string;
  readonly environmentVersion: number;
  readonly left: readonly string[];
  readonly record: ChangeRecord;
}

const LOOK_MS = 250;
const LONGEST_MS = 10 * 60_000;
/** Verdicts of the sentinel that are its cloud's word. */
const ENDED: ReadonlySet<string> = new Set(['terminated', 'stopped']);

export type RotationActivities = ReturnType<typeof rotationActivities>;

/** Rotation of the CA. No key is ever in what these are given or answer: keys lie in the files of controllers. */
export function rotationActivities(network: Network) {
  const { state, fence } = network;
  const deed =
    (act: (asked: RotationDeed, environment: EnvironmentDocument) => Promise<unknown>) =>
    async (asked: RotationDeed): Promise<DeedOutcome> => {
      const outcome = await deciding(async (right) =>
        refusedAsStale(async () => {
          const environment = await state.environment.findOne({});
          if (environment === null || environment.version !== asked.environmentVersion)
            throw stale('the environment has changed meanwhile');
          right.check();
          await act(asked, environment);
        }),
      );
      await writeRecordBeside(network, asked.record);
      return outcome;
    };
  const planned = ({ environmentVersion }: RotationDeed) => ({ ...fence, environmentVersion });

  return {
    /** The next step; as a wait it looks again and again until that is another one. */
    async watchRotation({ asked, wait, record }: RotationRequest): Promise<RotationSeen> {
      const context = Context.current();
      // Another worker may continue this wait: the time that went by before is in the heartbeat.
      const before = (context.info.heartbeatDetails as { waitedMs: number } | undefined)?.waitedMs ?? 0;
      const began = performance.now();
      await writeRecordBeside(network, record);
      for (;;) {
        const waitedMs = before + (performance.now() - began);
        const expired = wait !== null && wait.leftMs !== null && waitedMs >= wait.leftMs;
        const seen = await look(network, { ...asked, expired });
        const same = wait !== null && seen.step.kind === 'wait' && seen.step.text === wait.text;
        if (!same || waitedMs >= LONGEST_MS) return seen;
        context.heartbeat({ waitedMs });
        await sleep(LOOK_MS, undefined, { signal: context.cancellationSignal });
      }
    },

    /** The next CA and boot key, made on this machine: they leave it only to other controllers. */
    makeNextAuthority: deed(async (asked, environment) => {
      const { caFile, keys, machine } = network.self;
      const [trusted, key] = await Promise.all([readFile(caFile, 'utf8'), readFile(keys.caKey, 'utf8')]);
      const present = issuingOf(key, trusted, environment.authority?.trusted ?? null);
      if (present === null) throw stale('the CA that this controller issues with is not the present one');
      const fresh = await createAuthority(environment._id);
      const { caKey } = await keepNext(keys, { caKey: fresh.key, bootKey: randomSecret() });
      const { certificate } = caKey === fresh.key ? fresh : await createAuthority(environment._id, caKey);
      const voucher = await vouchFor({ certificate: present, key }, certificate);
      await trustNext(state, planned(asked), { certificate, voucher, present, maker: machine, change: asked.change });
    }),

    issueByNext: deed(async (asked, environment) => {
      const { keys } = network.self;
      const next = await readNext(keys);
      if (next === null) throw stale('this controller holds no next keys');
      const { sealed } = environment.temporal;
      const again =
        sealed === undefined
          ? null
          : sealConnection(
              openSealedByOneOf(sealed, await readBootKeys(keys), environment._id),
              next.bootKey,
              environment._id,
            );
      await issueByNext(state, planned(asked), again);
    }),

    dropPrevious: deed(async (asked) => await dropPrevious(state, planned(asked), asked.left)),

    endRotation: deed(async (asked) => await endRotation(state, planned(asked))),
  };
}

async function look({ state, presence }: Network, asked: RotationAsked): Promise<RotationSeen> {
  // The environment first: what changes after it was read raises its version where that matters to a step.
  const environment = await state.environment.findOne({});
  if (environment === null) throw new QuorateError('no-environment', 'The state holds no environment.');
  const [machines, heard, tokens, evidence, now] = await Promise.all([
    state.machines.find({ life: { $ne: 'dead' } }).toArray(),
    state.presence.find({}, { projection: { 'report.authorityVersion': 1 } }).toArray(),
    state.tokens.find({}, { projection: { _id: 1 } }).toArray(),
    state.evidence.findOne({}),
    databaseTime(state),
  ]);
  const versions = new Map(heard.map(({ _id, report }) => [_id, report?.authorityVersion ?? 0]));
  const enrolled = new Set(tokens.map(({ _id }) => _id));
  const ended = new Set(
    evidence?.controllers.flatMap(({ machine, verdict }) => (ENDED.has(verdict) ? [machine] : [])) ?? [],
  );
  const { authority = null } = environment;
  const facts: RotationFacts = {
    authority,
    phaseMs: authority === null ? 0 : now.getTime() - authority.since.getTime(),
    machines: machines.map(({ _id: id, jobs, nonce }) => ({
      id,
      controller: jobs.includes('manage-environ'),
      version: versions.get(id) ?? 0,
      silentMs: versions.has(id) ? presence.silentMs(id) : null,
      enrolled: enrolled.has(nonce),
      ended: ended.has(id),
    })),
  };
  return { step: nextRotationStep(facts, asked), environmentVersion: environment.version };
}
