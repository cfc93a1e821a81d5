import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Role } from '../api/access.js';
import type { Route } from '../api/routes.js';
import { QuorateError } from '../errors.js';
import { subjectFrom } from '../pki/certificate.js';
import { peerOf } from '../pki/peer.js';
import { UNTRUSTED } from '../pki/trust.js';
import type { State } from '../state/state.js';
import { tooManyTries } from './login-tries.js';
import { Rate } from './rate.js';
import type { Reader } from './reading.js';
import { tokenHash } from './token-hash.js';
import type { Trust } from './trust.js';

/** Who calls. */
export interface Caller {
  readonly user: string;
  readonly role: Role;
  /** The machine whose agent it is; null for people and programs. */
  readonly machine: string | null;
  /** `worker`: by the certificate with which a controller's worker writes the documents. */
  readonly by: 'certificate' | 'token' | 'worker';
  /** The hash of the token it called with. */
  readonly credential: string | null;
  /** Of the certificate or token. */
  readonly expiresAt: Date;
}

/** Finds out who calls, by certificate or by bearer token, and whether they may. */
export class Login {
  readonly #failures = new Rate({ perSecond: 1, burst: 20 });

  constructor(
    private readonly environment: string,
    private readonly state: State,
    private readonly reader: Reader,
    private readonly trust: Pick<Trust, 'admits'>,
  ) {}

  /**
   * The caller of a route that needs one; throws when there is none, or one who may not.
   * @param known is told who it is, before they are refused
   */
  async require(request: IncomingMessage, route: Route, known: (caller: Caller) => void = () => {}): Promise<Caller> {
    const caller = await this.#caller(request);
    if (caller !== null) known(caller);
    if (caller === null) {
      throw new QuorateError('not-logged-in', 'This needs a certificate of the environment or a bearer token.', {
        todo: 'Operators have a certificate from bootstrap; others log in: quorate login NAME.',
      });
    }
    if (route.may !== 'anyone' && !route.may.includes(caller.role)) {
      throw new QuorateError('not-allowed', `${caller.user} (${caller.role}) may not do this: ${route.summary}.`, {
        todo: `It takes one of: ${route.may.join(', ')}.`,
      });
    }
    return caller;
  }

  async #caller(request: IncomingMessage): Promise<Caller | null> {
    const socket = request.socket as TLSSocket;
    const { authorization } = request.headers;
    if (authorization !== undefined) return await this.#byToken(authorization, socket.remoteAddress ?? '');
    return byCertificate(socket, this.environment, this.trust);
  }

  /** Looked up each time, so that one that was voided is void at every controller at once. */
  async #byToken(authorization: string, source: string): Promise<Caller> {
    const token = /^Bearer ([\x21-\x7e]{16,256})$/.exec(authorization)?.[1];
    const now = performance.now();
    if (!this.#failures.allows(source, now)) throw tooManyTries('from here', this.#failures.restMs(source, now));
    const hash = tokenHash(token ?? '');
    const found = await this.reader.read(({ options }) =>
      this.state.credentials.findOne({ _id: hash, $expr: { $gt: ['$expiresAt', '$$NOW'] } }, options),
    );
    if (found === null || token === undefined) {
      this.#failures.take(source, now);
      throw new QuorateError('bad-login', 'This token is not known here, or its time is over.', {
        todo: 'Log in again: quorate login NAME. A program’s token is made anew by an admin.',
      });
    }
    const { user, role, expiresAt } = found;
    return { user, role, machine: null, by: 'token', credential: hash, expiresAt };
  }
}

/** By which a controller's worker writes the documents, and asks an API server where it acts on the cloud. */
const WORKER = 'state';

function byCertificate(socket: TLSSocket, environment: string, trust: Pick<Trust, 'admits'>): Caller | null {
  const peer = peerOf(socket);
  if (peer === null) return null;
  if (!socket.authorized) {
    if ((peer.subject as { O?: unknown }).O === environment && UNTRUSTED.has(String(socket.authorizationError)))
      throw otherAuthority();
    throw new QuorateError('bad-login', `The certificate shown is refused: ${socket.authorizationError}.`, {
      todo: 'It must be of this environment and in its time.',
    });
  }
  // Connections live on when the CA that their certificates are of is dropped.
  if (!trust.admits(socket)) throw otherAuthority();
  const { cn, ou, o } = subjectFrom(peer.subject);
  const isWorker = ou === 'service' && cn === WORKER;
  if (o !== environment || (ou !== 'operator' && ou !== 'agent' && !isWorker)) {
    throw new QuorateError('bad-login', `The certificate of ${cn} (${ou}) is none to call the API with.`, {
      todo: 'Operators and agents have one of their own.',
    });
  }
  const shown = {
    user: cn,
    by: isWorker ? 'worker' : 'certificate',
    credential: null,
    expiresAt: peer.expiresAt,
  } as const;
  // Whoever writes the documents as they like may ask for anything.
  if (ou === 'operator' || isWorker) return { ...shown, role: 'admin', machine: null };
  return { ...shown, role: 'agent', machine: cn.replace(/^machine-/, '') };
}

/** Whoever was away while the CA was rotated hears what to do; whoever pretends hears nothing new. */
function otherAuthority(): QuorateError {
  return new QuorateError(
    'bad-login',
    'The certificate shown is of a CA that this environment does not trust (any more): it was issued before the CA was rotated, or by somebody else.',
    {
      todo:
        'An operator takes a new one: quorate cloud recover-access MACHINE, then quorate login --certificate FILE; ' +
        'whoever has a password logs in: quorate login NAME. A machine is removed: quorate remove-machine MACHINE --force.',
    },
  );
}
