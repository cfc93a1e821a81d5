import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { AccessFile } from '../boot/access-file.js';
import { QuorateError, usageError } from '../errors.js';
import { issueWithKey } from '../pki/authority.js';
import { writePrivate } from '../store/files.js';
import { readConf } from './conf.js';
import { agentFiles } from './files.js';
import { holdsControllerKeys, readAuthority } from './keys.js';

const NAME = /^[A-Za-z0-9._@-]{1,64}$/;

/**
 * `quorated recover-access DIRECTORY FILE NAME`, on a controller's console, for the admin who has lost the certificate:
 * whoever may read the CA's key there may be an admin. Nobody else is asked, so it works without a majority too.
 */
export async function recoverAccess([directory, file, name]: readonly string[]): Promise<void> {
  if (directory === undefined || file === undefined || name === undefined) {
    throw usageError('bad-usage', 'usage: quorated recover-access DIRECTORY FILE NAME');
  }
  if (!NAME.test(name) || /^machine-\d+$/.test(name)) throw usageError('bad-user', `${name} is no name of a user.`);
  await refuseExisting(file);
  const files = agentFiles(path.resolve(directory));
  const { conf } = await readConf(files.conf);
  if (conf === null || !(await holdsControllerKeys(files))) {
    throw new QuorateError('no-controller-here', `${directory} is not the directory of a controller.`, {
      todo: 'Only a controller holds the key that makes certificates. See which machines are: quorate cloud list',
    });
  }
  const authority = await readAuthority(files);
  const { uuid } = conf.environment;
  const made = await issueWithKey(authority, { subject: { cn: name, ou: 'operator', o: uuid } });
  const contents: AccessFile = {
    quorateAccess: 1,
    environment: conf.environment,
    addresses: conf.addresses.servers.map(({ api }) => api),
    // All that are trusted: the CA may be rotated at this moment.
    ca: await readFile(files.ca, 'utf8'),
    ...made,
  };
  await writePrivate(file, `${JSON.stringify(contents, null, 2)}\n`);
  process.stdout.write(
    `${file} makes whoever has it an admin of ${conf.environment.name} named ${name}. Take it over with: quorate login --certificate ${file}\n`,
  );
}

async function refuseExisting(file: string): Promise<void> {
  const there = await access(file).then(
    () => true,
    () => false,
  );
  if (there) throw usageError('file-exists', `${file} is there already; nothing was made.`, 'Name another file.');
}
