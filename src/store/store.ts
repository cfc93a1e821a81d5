import { X509Certificate } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { QuorateError, reasonOf } from '../errors.js';
import { splitPem } from '../pki/certificate.js';
import { type Dirs, dirsOf } from './dirs.js';
import { directoriesIn, privateDirectory, readIfThere, shred, writeError, writePrivate } from './files.js';
import { validateEnvironmentName } from './names.js';
import { damaged, type EnvironmentRecord, parseRecord } from './record.js';
import { parseSession, type Session } from './session.js';

export type { Dirs } from './dirs.js';
export type { AddressSet, EnvironmentRecord } from './record.js';
export type { Session } from './session.js';

/** Layout of the store; raised when an older Quorate could misread it. */
const STORE_VERSION = 1;

/** The operator's certificate for an environment, and the CA that everyone in it is checked against. PEM. */
export interface Credentials {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** Opens (and on first use makes) the operator's store; refuses one of a newer version or that cannot be written. */
export async function openStore(env: NodeJS.ProcessEnv = process.env): Promise<Store> {
  const dirs = dirsOf(env);
  for (const directory of [dirs.data, dirs.cache, dirs.state]) await privateDirectory(directory);
  const file = join(dirs.data, 'version');
  const text = await readIfThere(file);
  if (text === null) {
    await writePrivate(file, `${STORE_VERSION}\n`);
  } else {
    const version = Number(text.trim() || Number.NaN);
    if (!Number.isInteger(version) || version < 1) throw damaged(file, 'it does not hold a version number');
    if (version > STORE_VERSION) {
      throw new QuorateError(
        'store-newer',
        `${dirs.data} was written by a newer Quorate: its version is ${version}, this one knows ${STORE_VERSION}.`,
        { todo: 'Use the newer Quorate, or set QUORATE_HOME to another directory.' },
      );
    }
  }
  return new Store(dirs);
}

/** The operator's files: records of environments, credentials, the current environment. All writes are atomic, 0600. */
export class Store {
  readonly dirs: Dirs;

  constructor(dirs: Dirs) {
    this.dirs = dirs;
  }

  /** Names of the environments that have a record, sorted; a damaged record is found when it is read. */
  async listEnvironments(): Promise<string[]> {
    const root = join(this.dirs.data, 'environments');
    const names = await directoriesIn(root);
    const records = await Promise.all(names.map((name) => readIfThere(join(root, name, RECORD))));
    return names.filter((_, index) => records[index] !== null).sort();
  }

  async readEnvironment(name: string): Promise<EnvironmentRecord | null> {
    const file = this.file(name, RECORD);
    const text = await readIfThere(file);
    return text === null ? null : parseRecord(text, file);
  }

  /** The records of all that have one, sorted by name. */
  async readEnvironments(): Promise<EnvironmentRecord[]> {
    const records = await Promise.all((await this.listEnvironments()).map((name) => this.readEnvironment(name)));
    return records.filter((record) => record !== null);
  }

  async writeEnvironment(record: EnvironmentRecord): Promise<void> {
    await this.write(record.name, RECORD, `${JSON.stringify(record, null, 2)}\n`);
  }

  /**
   * Changes a record while nobody else does. `change` answers the new record, or null to leave it. Nothing happens when there is no record.
   */
  async updateEnvironment(
    name: string,
    change: (record: EnvironmentRecord) => EnvironmentRecord | null | Promise<EnvironmentRecord | null>,
  ): Promise<void> {
    if ((await this.readEnvironment(name)) === null) return;
    await this.#alone(name, async () => {
      const record = await this.readEnvironment(name);
      const changed = record && (await change(record));
      if (changed) await this.writeEnvironment(changed);
    });
  }

  /** Takes away everything the store holds of an environment; the record first, so that a crash leaves no half of one. */
  async removeEnvironment(name: string): Promise<void> {
    const record = this.file(name, RECORD);
    try {
      // Whoever changes it at this moment would write it again.
      if ((await readIfThere(record)) !== null) await this.#alone(name, () => rm(record, { force: true }));
      await rm(dirname(record), { recursive: true, force: true });
      if ((await this.current()) === name) await rm(this.currentFile, { force: true });
    } catch (error) {
      if (error instanceof QuorateError) throw error;
      throw writeError(dirname(record), error);
    }
  }

  /** What changes a record takes turns: several commands run at once. */
  async #alone(name: string, work: () => Promise<void>): Promise<void> {
    // Loaded here: most commands never change a record.
    const { lock } = await import('proper-lockfile');
    const directory = dirname(this.file(name, RECORD));
    const release = await lock(directory, {
      stale: 10_000,
      retries: { retries: 40, minTimeout: 10, maxTimeout: 300 },
    }).catch((error) => {
      throw writeError(directory, error);
    });
    try {
      await work();
    } finally {
      await release();
    }
  }

  /** The environment that commands without `-e` mean. */
  async current(): Promise<string | null> {
    const text = await readIfThere(this.currentFile);
    if (text === null) return null;
    const name = text.trim();
    try {
      validateEnvironmentName(name);
    } catch (error) {
      throw damaged(this.currentFile, reasonOf(error));
    }
    return name;
  }

  async setCurrent(name: string): Promise<void> {
    validateEnvironmentName(name);
    await writePrivate(this.currentFile, `${name}\n`);
  }

  /** The environment's CA; null until this machine has been let in, by certificate or by login. */
  async authority(name: string): Promise<string | null> {
    const ca = await this.read(name, 'ca.crt');
    if (ca !== null) this.checkCertificate(name, 'ca.crt', ca);
    return ca;
  }

  /** What was logged in with; null for nothing. It may have ended. */
  async session(name: string): Promise<Session | null> {
    const text = await this.read(name, SESSION);
    return text === null ? null : parseSession(text, this.file(name, SESSION));
  }

  /** @param ca of the environment, for a machine that was not let in before */
  async writeSession(name: string, session: Session, ca?: string): Promise<void> {
    await this.write(name, SESSION, `${JSON.stringify(session)}\n`);
    if (ca !== undefined) await this.write(name, 'ca.crt', ca);
  }

  async shredSession(name: string): Promise<void> {
    await shred(this.file(name, SESSION));
  }

  /** null until all were written. Throws `no-certificate` where people log in with a password. */
  async credentials(name: string): Promise<Credentials | null> {
    const [ca, own] = await Promise.all([this.read(name, 'ca.crt'), this.read(name, OWN)]);
    // The CA is written last: without it an enrolment was cut short.
    if (ca === null) return null;
    if (own === null) throw noCertificate(name);
    this.checkCertificate(name, 'ca.crt', ca);
    this.checkCertificate(name, OWN, own);
    const { certificate, key } = splitPem(own ?? '');
    if (key === '') throw damaged(this.file(name, OWN), 'it holds no private key');
    return { ca, certificate, key };
  }

  async writeCredentials(name: string, credentials: Credentials): Promise<void> {
    await rm(this.file(name, 'ca.crt'), { force: true });
    await this.renewCredentials(name, credentials);
    await this.write(name, 'ca.crt', credentials.ca);
  }

  /** Certificate and key change at once: whoever reads finds two that belong together. */
  async renewCredentials(name: string, { certificate, key }: Omit<Credentials, 'ca'>): Promise<void> {
    await this.write(name, OWN, certificate + key);
  }

  /** Whom the environment trusts from now on; an older version than what is known changes nothing. */
  async writeAuthority(name: string, uuid: string, version: number, trusted: string): Promise<void> {
    await this.updateEnvironment(name, async (record) => {
      if (record.uuid !== uuid || version <= (record.authorityVersion ?? 0)) return null;
      await this.write(name, 'ca.crt', trusted);
      return { ...record, authorityVersion: version };
    });
  }

  /** Machine 0's boot token, hex, between the beginning of a bootstrap and the operator's enrolment. */
  async bootToken(name: string): Promise<string | null> {
    return (await this.read(name, 'boot.token'))?.trim() ?? null;
  }

  async writeBootToken(name: string, token: string): Promise<void> {
    await this.write(name, 'boot.token', `${token}\n`);
  }

  async shredBootToken(name: string): Promise<void> {
    await shred(this.file(name, 'boot.token'));
  }

  /** The environment's CA, for who has to be told where it lies. */
  caFile(name: string): string {
    return this.file(name, 'ca.crt');
  }

  private get currentFile(): string {
    return join(this.dirs.data, 'current');
  }

  private file(name: string, file: string): string {
    validateEnvironmentName(name);
    return join(this.dirs.data, 'environments', name, file);
  }

  private read(name: string, file: string): Promise<string | null> {
    return readIfThere(this.file(name, file));
  }

  private async write(name: string, file: string, contents: string): Promise<void> {
    const path = this.file(name, file);
    await privateDirectory(dirname(dirname(path)));
    await privateDirectory(dirname(path));
    await writePrivate(path, contents);
  }

  private checkCertificate(name: string, file: string, pem: string | null): void {
    try {
      new X509Certificate(pem ?? '');
    } catch {
      throw damaged(this.file(name, file), pem === null ? 'it is missing' : 'it holds no certificate');
    }
  }
}

const RECORD = 'environment.json';
/** The operator's certificate and its key. */
const OWN = 'client.pem';
const SESSION = 'session.json';

function noCertificate(name: string): QuorateError {
  return new QuorateError('no-certificate', `this takes a login to ${name}, or an operator’s certificate for it.`, {
    todo: `Log in: quorate login NAME -e ${name}      or take a certificate over: quorate login --certificate FILE`,
  });
}
