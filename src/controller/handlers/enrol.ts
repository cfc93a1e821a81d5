import { timingSafeEqual } from 'node:crypto';
import { bootToken } from '../../boot/token.js';
import { QuorateError } from '../../errors.js';
import { log } from '../../log/log.js';
import { serverName } from '../../pki/certificate.js';
import { readBootKeys } from '../../pki/key-files.js';
import { durationMs, effectiveValue } from '../../state/settings.js';
import { bindToken, enrolRefused } from '../../state/tokens.js';
import type { Controller, Handler } from '../call.js';
import { issuingAuthority, keyFilesOf } from '../issuing.js';
import { Rate } from '../rate.js';

const TRIES = new Rate({ perSecond: 5, burst: 30 });

/** A new machine's certificate for its one-time token. */
export const enrol: Handler<'enrol'> = async (controller, { body, address }) => {
  const { config, state } = controller;
  const { machine: id, nonce, token, request } = body;
  if (!TRIES.take(address, performance.now())) {
    throw new QuorateError('too-many', 'Too many enrolments are tried from here.', { todo: 'Try again in a moment.' });
  }
  const bootKeys = await readBootKeys(keyFilesOf(controller));
  if (!bootKeys.some((bootKey) => sameSecret(bootToken(bootKey, nonce), token))) {
    log().warn(`enrol: a wrong token for machine ${id}, from ${address}`);
    throw enrolRefused();
  }
  // The library that issues is loaded only where a machine enrols.
  const { issue, publicKeyHash } = await import('../../pki/authority.js');
  const publicKey = publicKeyHash(request);
  const bootTimeoutMs = await bootTimeout(controller);
  try {
    return {
      certificate: await bindToken(state, { machine: id, nonce, publicKey, address, bootTimeoutMs }, async (machine) =>
        issue(await issuingAuthority(controller), {
          request,
          subject: { cn: `machine-${id}`, ou: 'agent', o: config.environment.uuid },
          addresses: [address],
          // Who does not serve the API cannot pass for a controller.
          names: machine.jobs.includes('manage-environ') ? [serverName(config.environment.uuid)] : [],
        }),
      ),
    };
  } catch (error) {
    if (error instanceof QuorateError && error.code === 'enrol-refused') {
      log().warn(`enrol: ALARM: the token of machine ${id} was used from ${address}, and refused`);
    }
    throw error;
  }
};

async function bootTimeout({ state }: Controller): Promise<number> {
  const stored = await state.settings.findOne({ _id: 'boot-timeout' });
  return durationMs(effectiveValue('boot-timeout', stored?.value, '')) ?? 0;
}

function sameSecret(expected: string, shown: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(shown)];
  return a.length === b.length && timingSafeEqual(a, b);
}
