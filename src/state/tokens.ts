import { QuorateError } from '../errors.js';
import type { MachineDocument, TokenDocument } from './documents.js';
import { persist } from './retry.js';
import { type State, transaction } from './state.js';

/** What a machine that enrols shows, after its token was found to be right. */
export interface Binding {
  readonly machine: string;
  readonly nonce: string;
  /** SHA-256 of its public key, hex. */
  readonly publicKey: string;
  /** Where it came from. */
  readonly address: string;
  readonly bootTimeoutMs: number;
}

/**
 * Binds a boot token to the first public key that uses it, with the certificate that `issue` makes for it: the same key
 * gets the same certificate again, another key is refused and leaves a trace. In one transaction with the machine's
 * document, which must be alive, started, at the address it comes from, and within its time.
 */
export async function bindToken(
  state: State,
  binding: Binding,
  issue: (machine: MachineDocument) => Promise<string>,
): Promise<string> {
  const { machine: id, nonce, publicKey, address } = binding;
  const outcome = await persist(state, () =>
    transaction(state, async (session): Promise<{ certificate: string } | { refused: QuorateError }> => {
      const machine = await state.machines.findOne({ _id: id, nonce }, { session });
      if (machine === null || machine.life !== 'alive') return { refused: enrolRefused() };
      if (machine.instance === null || machine.instance.address === '') {
        return {
          refused: new QuorateError('too-early', `The cloud has not said yet where machine ${id} is.`, {
            todo: 'Ask again in a moment.',
          }),
        };
      }
      const bound = await state.tokens.findOne({ _id: nonce }, { session });
      if (machine.instance.address !== address || (bound !== null && bound.publicKey !== publicKey)) {
        if (bound !== null) await remember(bound, address);
        return { refused: enrolRefused() };
      }
      if (bound !== null && bound.certificate !== '') return { certificate: bound.certificate };
      const inTime = await state.machines.findOne(
        {
          _id: id,
          $expr: { $lt: ['$$NOW', { $add: ['$instance.recordedAt', binding.bootTimeoutMs] }] },
        },
        { session, projection: { _id: 1 } },
      );
      if (inTime === null) return { refused: enrolRefused() };
      const certificate = await issue(machine);
      await state.tokens.insertOne(
        { _id: nonce, machine: id, publicKey, certificate, boundAt: new Date(), refusedFrom: [] },
        { session },
      );
      return { certificate };

      /** Raises the alarm, shown among the environment's problems. */
      async function remember(token: TokenDocument, from: string): Promise<void> {
        if (token.refusedFrom.includes(from) || token.refusedFrom.length >= 10) return;
        await state.tokens.updateOne({ _id: token._id }, { $push: { refusedFrom: from } }, { session });
      }
    }),
  );
  if ('refused' in outcome) throw outcome.refused;
  return outcome.certificate;
}

/** The one answer to every token that is not accepted: it does not say which part was wrong. */
export function enrolRefused(): QuorateError {
  return new QuorateError('enrol-refused', 'This token does not let this machine in from here.', {
    todo: 'A token serves one key, from its machine’s own address, for a limited time. Terminate the instance and let another be started.',
  });
}
