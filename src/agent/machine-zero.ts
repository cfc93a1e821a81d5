import { randomSecret } from '../boot/token.js';
import type { InstanceMetadata, UserData } from '../boot/user-data.js';
import { writePrivate } from '../store/files.js';
import { type AgentConf, writeConf } from './conf.js';
import type { AgentFiles } from './files.js';
import { issueControllerCertificates, writeControllerKeys } from './keys.js';

/** Machine 0's member of the replica set of one that bootstrap initiates. */
export const FIRST_MEMBER = 0;

/**
 * The first boot of an environment's first machine: it makes the CA, the boot key and its own certificates. agent.conf is
 * written last; until then nobody has seen any of this, and a machine that is interrupted begins again.
 */
export async function makeEnvironment(
  files: AgentFiles,
  userData: UserData,
  metadata: InstanceMetadata,
): Promise<AgentConf> {
  const { createAuthority } = await import('../pki/authority.js');
  const { environment, machine } = userData;
  const authority = await createAuthority(environment.uuid);
  await writePrivate(files.ca, authority.certificate);
  await writeControllerKeys(files, { caKey: authority.key, bootKey: randomSecret(), temporal: null });
  await issueControllerCertificates(files, {
    environment: environment.uuid,
    machine,
    address: metadata.address,
  });
  const { address, ports } = metadata;
  const conf: AgentConf = {
    quorate: 1,
    environment,
    machine,
    addresses: {
      version: 0,
      servers: [{ machine, api: `${address}:${ports.api}`, mongo: `${address}:${ports.mongo}` }],
    },
    url: '',
    jobs: ['manage-environ', 'manage-state'],
    life: 'alive',
    memberId: FIRST_MEMBER,
    version: 0,
    bootstrapping: true,
  };
  await writeConf(files.conf, conf);
  return conf;
}
