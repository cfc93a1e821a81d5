import { readFile } from 'node:fs/promises';
import { reasonOf } from '../src/errors.js';
import { log } from '../src/log/log.js';
import { exchange, type Identity, readIdentity } from '../src/pki/identity.js';
import { digestOf } from '../src/pki/trust.js';
import { writePrivate } from '../src/store/files.js';

/** Where they lie. */
export interface CertificateFiles {
  readonly ca: string;
  readonly stateTls: { readonly certificate: string; readonly key: string };
  readonly membershipTls: { readonly certificate: string; readonly key: string };
  /** Where it is said which of them are gone by; left out by agents that do not ask. */
  readonly loadedFile?: string;
}

/** What a controller's worker logs in to MongoDB with, read again whenever its agent says that the files hold others. */
export class WorkerCertificates {
  #reloading: Promise<void> = Promise.resolve();

  private constructor(
    private readonly files: CertificateFiles,
    readonly state: Identity,
    readonly membership: Identity,
  ) {}

  static async read(files: CertificateFiles): Promise<WorkerCertificates> {
    const { state, membership } = await readFiles(files);
    const certificates = new WorkerCertificates(files, state, membership);
    await certificates.#say();
    return certificates;
  }

  /** Every client made with them goes by what lies in the files now. */
  reload(): void {
    this.#reloading = this.#reloading
      .then(async () => {
        const { state, membership } = await readFiles(this.files);
        exchange(this.state, state);
        exchange(this.membership, membership);
        await this.#say();
      })
      .catch((error) => log().error(`The certificates could not be read anew: ${reasonOf(error)}`));
  }

  async #say(): Promise<void> {
    const { loadedFile } = this.files;
    if (loadedFile === undefined) return;
    const { ca, certificate } = this.state;
    await writePrivate(loadedFile, digestOf(ca, certificate, this.membership.certificate));
  }
}

async function readFiles({ ca: caFile, stateTls, membershipTls }: CertificateFiles) {
  const ca = await readFile(caFile, 'utf8');
  const [state, membership] = await Promise.all([readIdentity(ca, stateTls), readIdentity(ca, membershipTls)]);
  return { state, membership };
}
