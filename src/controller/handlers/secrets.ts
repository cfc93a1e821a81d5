import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Value } from '@sinclair/typebox/value';
import { bootToken } from '../../boot/token.js';
import { TemporalConnection } from '../../boot/wire.js';
import { QuorateError } from '../../errors.js';
import { readNext } from '../../pki/key-files.js';
import { noMachine } from '../../state/machines.js';
import { once } from '../../state/requests.js';
import { databaseTime } from '../../state/state.js';
import { readIfThere } from '../../store/files.js';
import { readBootKey } from '../boot-key.js';
import type { Controller, Handler } from '../call.js';
import { changeOf } from '../change.js';
import { issuingAuthority, keyFilesOf } from '../issuing.js';
import { tokenHash } from '../token-hash.js';

const HOUR_MS = 3_600_000;

/** A pure function of what was fixed with the machine's nonce: asked again, the same bytes. */
export const userData: Handler<'userData'> = async (controller, { params: { id = '' } }) => {
  const { state, config } = controller;
  const machine = await state.machines.findOne({ _id: id });
  if (machine === null) throw noMachine(id);
  if (machine.life !== 'alive') {
    throw new QuorateError('machine-not-alive', `Machine ${id} is ${machine.life}: nothing is started for it.`);
  }
  const { addresses, url, version } = machine.boot;
  // A controller that is behind would give a token of the boot key before, which may be dropped before this machine boots.
  await issuingAuthority(controller);
  const [bootKey, { trusted: ca }] = await Promise.all([readBootKey(config), trustedNow(controller)]);
  const token = bootToken(bootKey, machine.nonce);
  return {
    quorate: 1,
    environment: config.environment,
    machine: id,
    nonce: machine.nonce,
    addresses,
    url,
    ca,
    token,
    install: { source: 'local', version },
  };
};

/** For the agent of a machine whose document makes it a controller; read from a majority. */
export const controllerKeys: Handler<'controllerKeys'> = async (controller, { caller }) => {
  const { state, config } = controller;
  const machine = await state.machines.findOne({ _id: caller?.machine ?? '' });
  if (machine === null || machine.life !== 'alive' || !machine.jobs.includes('manage-environ')) {
    throw new QuorateError('not-allowed', `${caller?.user} is no controller.`);
  }
  const files = keyFilesOf(controller);
  const [caKey, boot, temporal, next, previous] = await Promise.all([
    readFile(config.caKeyFile, 'utf8'),
    readBootKey(controller.config),
    readTemporal(config.temporalFile),
    readNext(files),
    readIfThere(files.previousBootKey),
  ]);
  return {
    caKey,
    bootKey: boot,
    temporal,
    ...(next === null ? {} : { next }),
    ...(previous === null ? {} : { previousBootKey: previous.trim() }),
  };
};

export const authority: Handler<'authority'> = async (controller) => await trustedNow(controller);

/** What the documents say; before the first rotation they say nothing, and there is one CA. */
async function trustedNow({ state, ca }: Pick<Controller, 'state' | 'ca'>) {
  const environment = await state.environment.findOne({});
  const { version, trusted } = environment?.authority ?? { version: 0, trusted: ca };
  return { version, trusted };
}

/**
 * The token is derived from the request and the boot key, so that the same request gets the same token again although only
 * its hash is kept.
 */
export const createToken: Handler<'createToken'> = async (controller, call) => {
  const { request } = changeOf(call);
  const { user, role, days = 0, hours = 0 } = call.body;
  if (days + hours === 0) {
    throw new QuorateError('bad-request', 'A token needs an end: days or hours.', {
      todo: 'What it must be: /v1/openapi.json.',
      exit: 2,
    });
  }
  const secret = createHmac('sha256', Buffer.from(await readBootKey(controller.config), 'hex'))
    .update(`bearer\0${request.key}\0${request.fingerprint}`)
    .digest('base64url');
  const token = `qrt_${secret}`;
  const { expiresAt } = await once(controller.state, request, async (session) => {
    // By the clock that its end is judged by: this machine's may be an hour off.
    const createdAt = await databaseTime(controller.state);
    const expiresAt = new Date(createdAt.getTime() + (24 * days + hours) * HOUR_MS);
    const _id = tokenHash(token);
    await controller.state.credentials.insertOne({ _id, user, role, createdAt, expiresAt }, { session });
    return { expiresAt: expiresAt.toISOString() };
  });
  if ((await controller.state.credentials.findOne({ _id: tokenHash(token) })) === null) {
    throw new QuorateError(
      'no-token',
      'This token was made before, and cannot be told again: it is void, or the keys were rotated since.',
      {
        todo: 'Ask for another one, with another idempotency key.',
      },
    );
  }
  return { token, user, role, expiresAt };
};

/** null while nobody has said where Temporal is. */
async function readTemporal(file: string): Promise<TemporalConnection | null> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  return Value.Parse(TemporalConnection, JSON.parse(text));
}
