import type { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { TLSSocket } from 'node:tls';
import { exchange, type Identity, readIdentity } from '../pki/identity.js';
import { digestOf, issuedByOneOf } from '../pki/trust.js';
import { writePrivate } from '../store/files.js';
import type { ControllerConfig } from './config.js';

/** The certificates that an API server goes by, read again whenever its agent says that the files hold others. */
export class Trust {
  #tls: Identity;
  #isOurs: (certificate: X509Certificate) => boolean;
  readonly #checked = new WeakMap<TLSSocket, string>();

  private constructor(
    private readonly config: ControllerConfig,
    /** Of its clients of MongoDB, which take over what is read. */
    readonly state: Identity,
    tls: Identity,
  ) {
    this.#tls = tls;
    this.#isOurs = issuedByOneOf(tls.ca);
  }

  static async read(config: ControllerConfig): Promise<Trust> {
    const { tls, state } = await readFiles(config);
    const trust = new Trust(config, state, tls);
    await trust.#say(state);
    return trust;
  }

  get tls(): Identity {
    return this.#tls;
  }

  /** The CAs that are trusted, PEM, the one that issues first. */
  get ca(): string {
    return this.#tls.ca;
  }

  /** Whether a CA that is trusted now has issued what a peer showed; its time and more were judged when it connected. */
  admits(socket: TLSSocket): boolean {
    if (this.#checked.get(socket) === this.ca) return true;
    const shown = socket.getPeerX509Certificate();
    if (shown === undefined || !this.#isOurs(shown)) return false;
    this.#checked.set(socket, this.ca);
    return true;
  }

  /** Reads the files again; `use` puts into effect what they hold before that is said. */
  async reload(use: (tls: Identity) => void): Promise<void> {
    const { tls, state } = await readFiles(this.config);
    exchange(this.state, state);
    this.#tls = tls;
    this.#isOurs = issuedByOneOf(tls.ca);
    use(tls);
    await this.#say(state);
  }

  async #say({ certificate }: Identity): Promise<void> {
    const { loadedFile } = this.config;
    if (loadedFile !== undefined)
      await writePrivate(loadedFile, digestOf(this.#tls.ca, this.#tls.certificate, certificate));
  }
}

async function readFiles({ tls, stateTls }: ControllerConfig): Promise<{ tls: Identity; state: Identity }> {
  const ca = await readFile(tls.ca, 'utf8');
  const [own, state] = await Promise.all([readIdentity(ca, tls), readIdentity(ca, stateTls)]);
  return { tls: own, state };
}
