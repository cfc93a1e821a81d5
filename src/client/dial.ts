import { isIP } from 'node:net';
import {
  connect,
  createSecureContext,
  type DetailedPeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { QuorateError } from '../errors.js';
import { fingerprint, serverName, subjectFrom } from '../pki/certificate.js';
import { peerOf } from '../pki/peer.js';
import { UNTRUSTED } from '../pki/trust.js';
import { hostAndPort } from './host-port.js';

export interface TlsFiles {
  /** The environment's CA, PEM. */
  readonly ca: string;
  /** Our own certificate and key, PEM; without them only what needs no login can be asked. */
  readonly certificate?: string;
  readonly key?: string;
}

/** A connection to a controller that proved to belong to the environment. */
export interface Connected {
  readonly address: string;
  readonly machine: string;
  readonly socket: TLSSocket;
}

/** Dials single addresses of one environment; nothing is sent before the CA and the name have been checked. */
export class Dialer {
  readonly #environment: { readonly uuid: string; readonly name: string };
  #ca: string;
  #own: { readonly certificate: string | undefined; readonly key: string | undefined };
  readonly #localAddress: string | undefined;
  #context: SecureContext;
  readonly #timeoutMs: number;

  constructor(options: {
    readonly environment: { readonly uuid: string; readonly name: string };
    readonly tls: TlsFiles;
    readonly localAddress?: string | undefined;
    readonly timeoutMs: number;
  }) {
    const { ca, certificate, key } = options.tls;
    this.#environment = options.environment;
    this.#ca = ca;
    this.#localAddress = options.localAddress;
    this.#timeoutMs = options.timeoutMs;
    this.#own = { certificate, key };
    this.#context = this.#newContext();
  }

  /** Shows this certificate from the next connection on. */
  useCertificate(certificate: string, key: string): void {
    this.#own = { certificate, key };
    this.#context = this.#newContext();
  }

  /** Trusts these CAs (PEM) from the next connection on. */
  trust(ca: string): void {
    this.#ca = ca;
    this.#context = this.#newContext();
  }

  /** Resolves once TLS is complete and the server was found to be a controller of the environment. */
  dial(address: string, signal?: AbortSignal): Promise<Connected> {
    const { host, port } = hostAndPort(address);
    return new Promise((resolve, reject) => {
      const socket = connect({
        host,
        port,
        servername: serverName(this.#environment.uuid),
        secureContext: this.#context,
        // Node's verdict is looked at below, so that a refusal can name whose certificate it was.
        rejectUnauthorized: false,
        ...(this.#localAddress !== undefined && isIP(host) === isIP(this.#localAddress)
          ? { localAddress: this.#localAddress }
          : {}),
      });
      const end = (error: unknown) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        socket.destroy();
        reject(error);
      };
      const onAbort = () => end(signal?.reason);
      const onClose = () => end(Object.assign(new Error('closed at once'), { code: 'ECONNRESET' }));
      const timer = setTimeout(() => end(new Error(`no answer in ${this.#timeoutMs / 1000} s`)), this.#timeoutMs);
      if (signal?.aborted) return onAbort();
      signal?.addEventListener('abort', onAbort);
      socket.setNoDelay(true);
      socket.on('error', end);
      socket.once('close', onClose);
      socket.once('secureConnect', () => {
        const refusal = this.#refusal(address, socket);
        if (refusal) return end(refusal);
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        socket.off('close', onClose);
        socket.off('error', end);
        // An error is followed by `close`, which whoever holds the socket listens for.
        socket.on('error', () => {});
        try {
          resolve({ address, machine: machineOf(socket), socket });
        } catch (error) {
          end(error);
        }
      });
    });
  }

  #newContext(): SecureContext {
    const { certificate: cert, key } = this.#own;
    return createSecureContext({ ca: this.#ca, cert, key, minVersion: 'TLSv1.3' });
  }

  #refusal(address: string, socket: TLSSocket): Error | null {
    if (socket.authorized) return null;
    const code = String(socket.authorizationError);
    if (!UNTRUSTED.has(code)) return Object.assign(new Error(code), { code });
    const peer = socket.getPeerCertificate(true);
    const top = topOf(peer);
    // It says that it is this environment: either that has another CA now, or somebody pretends.
    const claims = (peer.subject as { O?: unknown } | undefined)?.O === this.#environment.uuid;
    return new QuorateError(
      'foreign-ca',
      `${address} is refused: the CA of ${this.#environment.name} has the fingerprint ${fingerprint(this.#ca)}, ` +
        `the ${top.isCa ? 'CA' : 'certificate'} there ${top.fingerprint}.`,
      {
        todo: claims
          ? 'Nothing was sent to it. Either somebody pretends to be this environment, or its CA was rotated more than once ' +
            'since this machine used it: take the CA over by a fingerprint that an admin tells you (quorate login NAME ADDRESS ' +
            '--ca-fingerprint …), or a certificate made on a controller (quorate cloud recover-access, quorate login --certificate FILE).'
          : 'Another environment answers at this address, or somebody else does; nothing was sent to it. ' +
            'If the environment was made anew, this machine’s record of it is out of date.',
      },
    );
  }
}

/** The last certificate of the chain that the server showed. */
function topOf(peer: DetailedPeerCertificate): { isCa: boolean; fingerprint: string } {
  let top = peer;
  while (top.issuerCertificate && top.issuerCertificate !== top) top = top.issuerCertificate;
  return { isCa: top !== peer, fingerprint: top.fingerprint256 };
}

/** Controllers' API certificates name their machine: CN=machine-ID. */
function machineOf(socket: TLSSocket): string {
  const { cn, ou } = subjectFrom(peerOf(socket)?.subject ?? {});
  if (ou !== 'agent') throw new QuorateError('bad-certificate', `a certificate for ${ou} answers, not a machine’s`);
  return cn.replace(/^machine-/, '');
}
