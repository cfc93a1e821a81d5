import { QuorateError } from '../../errors.js';
import { log } from '../../log/log.js';
import type { IssueOptions } from '../../pki/authority.js';
import { serverName } from '../../pki/certificate.js';
import { noMachine } from '../../state/machines.js';
import type { Controller, Handler } from '../call.js';
import { issuingAuthority } from '../issuing.js';
import type { Caller } from '../login.js';

/**
 * The next certificate in the name of the present one. A token gives none: it would outlive its own end; nor does a worker's
 * certificate, which its controller issues.
 */
export const renew: Handler<'renew'> = async (controller, { caller, body: { request } }) => {
  if (caller?.by !== 'certificate') {
    throw new QuorateError('not-allowed', 'A certificate is renewed only for who shows the present one.');
  }
  const named = await nameOf(controller, caller);
  // The library that issues is loaded only where something is issued.
  const { issue, publicKeyHash } = await import('../../pki/authority.js');
  const certificate = await issue(await issuingAuthority(controller), { ...named, request });
  log().info(
    `renew: ${caller.user} (${named.subject.ou}) has a new certificate, public key ${publicKeyHash(certificate)}`,
  );
  return { certificate };
};

type Named = Pick<IssueOptions, 'subject' | 'addresses' | 'names'>;

async function nameOf({ config, state }: Controller, { user, machine: id }: Caller): Promise<Named> {
  const o = config.environment.uuid;
  if (id === null) return { subject: { cn: user, ou: 'operator', o } };
  const machine = await state.machines.findOne({ _id: id });
  if (machine === null) throw noMachine(id);
  if (machine.life === 'dead') throw new QuorateError('machine-not-alive', `Machine ${id} is dead.`);
  return {
    subject: { cn: user, ou: 'agent', o },
    addresses: machine.instance === null ? [] : [machine.instance.address],
    names: machine.jobs.includes('manage-environ') ? [serverName(o)] : [],
  };
}
