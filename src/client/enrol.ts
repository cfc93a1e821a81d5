import { X509Certificate } from 'node:crypto';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { clientProof, exportSession, machineProof, proofFailed, verifyProof } from '../boot/proof.js';
import { randomSecret } from '../boot/token.js';
import type * as wire from '../boot/wire.js';
import { QuorateError, reasonOf } from '../errors.js';
import { createKeyAndRequest } from '../pki/authority.js';
import { serverName } from '../pki/certificate.js';
import { tracing } from '../tracing/tracing.js';

export interface EnrolOptions {
  readonly address: string;
  readonly port: number;
  /** UUID */
  readonly environment: string;
  readonly machine: string;
  readonly token: string;
  /** Whom the certificate names. */
  readonly user: string;
  readonly timeoutMs?: number;
}

export interface OperatorCredentials {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/**
 * The CLI's side of the mutual proof: machine 0 proves that it knows the token, its CA is pinned, and the CLI's key gets a
 * certificate of it. May be done again as long as no certificate of it has been used.
 */
export async function enrolOperator(options: EnrolOptions): Promise<OperatorCredentials> {
  const { address, port, environment, machine, token, user, timeoutMs = 10_000 } = options;
  const own = await createKeyAndRequest();
  // One connection for both calls, as the proofs are bound to it. There is no CA to check against yet: the proof does it.
  const agent = new Agent({ keepAlive: true, maxSockets: 1, minVersion: 'TLSv1.3', rejectUnauthorized: false });
  const target = { address, port, timeoutMs, options: { agent } };
  try {
    const clientNonce = randomSecret();
    const hello = await call<wire.HelloAnswer>(target, 'POST', '/boot/hello', { nonce: clientNonce });
    const { nonce: machineNonce, ca, proof } = hello.body;
    const transcript = { environment, machine, clientNonce, machineNonce, exporter: exportSession(hello.socket), ca };
    verifyProof(machineProof(token, transcript), proof);
    if (!issuedBy(hello.socket, ca)) throw proofFailed();

    const enrol = await call<wire.EnrolAnswer>(target, 'POST', '/boot/enrol', {
      request: own.request,
      user,
      proof: clientProof(token, transcript, own.request),
    });
    return { ca, certificate: enrol.body.certificate, key: own.key };
  } finally {
    agent.destroy();
  }
}

/**
 * A bootstrap call to machine 0 over the pinned connection. Once its API server has taken over (an answer was lost), the
 * call has nothing left to do and answers that all is done.
 */
export async function bootCall(
  target: { readonly address: string; readonly port: number; readonly environment: string },
  tls: OperatorCredentials,
  path: '/boot/temporal' | '/boot/initiate' | '/boot/seed' | '/boot/serve' | '/boot/progress',
  body: object = {},
  timeoutMs = 25_000,
): Promise<wire.Progress> {
  const options: RequestOptions = {
    agent: false,
    ca: tls.ca,
    cert: tls.certificate,
    key: tls.key,
    servername: serverName(target.environment),
    minVersion: 'TLSv1.3',
  };
  const method = path === '/boot/progress' ? 'GET' : 'POST';
  try {
    return (await call<wire.Progress>({ ...target, timeoutMs, options }, method, path, body)).body;
  } catch (error) {
    if (!(error instanceof QuorateError && error.code === 'not-found')) throw error;
    return { mongod: true, temporal: true, initiated: true, seeded: true, serving: true };
  }
}

function issuedBy(socket: TLSSocket, ca: string): boolean {
  const peer = socket.getPeerX509Certificate();
  const authority = new X509Certificate(ca);
  return peer?.checkIssued(authority) === true && peer.verify(authority.publicKey);
}

interface Target {
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly options: RequestOptions;
}

function call<T>(target: Target, method: string, path: string, body: object): Promise<{ body: T; socket: TLSSocket }> {
  const { address, port, timeoutMs, options } = target;
  const text = method === 'GET' ? '' : JSON.stringify(body);
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...tracing()?.headers(),
  };
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const request = httpsRequest({ host: address, port, path, method, headers, signal, ...options });
    const fail = (error: unknown) => {
      const reason = signal.aborted ? `it did not answer within ${timeoutMs / 1000} s` : reasonOf(error);
      reject(new QuorateError('machine-unreachable', `Machine at ${address}:${port}: ${reason}.`, { cause: error }));
    };
    request.on('error', fail);
    request.on('response', async (response) => {
      const socket = response.socket as TLSSocket;
      try {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        const answer = JSON.parse(Buffer.concat(chunks).toString('utf8'));
        if (response.statusCode === 200) return resolve({ body: answer as T, socket });
        reject(new QuorateError(answer.code ?? 'failed', answer.message ?? `HTTP ${response.statusCode}`, answer));
      } catch (error) {
        fail(error);
      }
    });
    request.end(text);
  });
}
