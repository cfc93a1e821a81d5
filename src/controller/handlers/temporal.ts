import { readFile } from 'node:fs/promises';
import { sealConnection } from '../../boot/sealed.js';
import { QuorateError } from '../../errors.js';
import { adoptTemporal } from '../../state/adopt.js';
import type { EnvironmentDocument } from '../../state/documents.js';
import type { Handler } from '../call.js';
import { issuingAuthority } from '../issuing.js';

/** Never stale: what is decided on it is fenced by the epoch. */
export const temporal: Handler<'temporal'> = async ({ state }) => view(await state.environment.findOne({}));

/** The connection goes no further than the document, sealed; its workers find it there. */
export const adopt: Handler<'adopt'> = async (controller, { body }) => {
  const { state, config } = controller;
  const { epoch, clusterId, namespace, connection } = body;
  // A controller that is behind in a rotation would seal it with the boot key before.
  await issuingAuthority(controller);
  const bootKey = await readFile(config.bootKeyFile, 'utf8');
  const sealed = sealConnection(connection, bootKey, config.environment.uuid);
  return view(await adoptTemporal(state, { epoch }, { clusterId, namespace, sealed }));
};

function view(environment: EnvironmentDocument | null) {
  if (environment === null) throw new QuorateError('no-quorum', 'The state has not been seeded yet.');
  const { clusterId, namespace } = environment.temporal;
  return { clusterId, namespace, epoch: environment.epoch };
}
