import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { isIP } from 'node:net';
import querystring from 'node:querystring';
import type { TemporalConnection } from '../boot/wire.js';
import { explain } from './refusals.js';

/** host and port of a Temporal's address (`host:port`, `[v6]:port`, with or without a scheme and the port). Pure. */
export function endpointOf(address: string): { readonly host: string; readonly port: number } {
  const bare = address.replace(/^[a-z]+:\/\/+/i, '');
  // A bare IPv6 address has more than one colon, and no port.
  if (isIP(bare) === 6) return { host: bare, port: DEFAULT_PORT };
  const [, host = bare, port = ''] = /^\[?(.*?)\]?(?::(\d*))?$/.exec(bare) ?? [];
  return { host, port: Number(port) || DEFAULT_PORT };
}

const DEFAULT_PORT = 7233;

/** With an API key TLS is meant, as in the standard configuration. */
export const speaksTls = ({ tls, apiKey }: TemporalConnection): boolean =>
  typeof tls === 'object' || (tls ?? apiKey !== undefined);

const DESCRIBE = '/temporal.api.workflowservice.v1.WorkflowService/DescribeNamespace';

/**
 * Uses a Temporal once as this connection says: the address, TLS, the credentials, the namespace. Without Temporal's SDK, which an
 * agent does not load: the one call is a message of one text.
 *
 * @throws QuorateError `temporal-unreachable`, `temporal-refused` or `temporal-namespace`, in words
 */
export async function dialTemporal(target: TemporalConnection, withinMs: number): Promise<void> {
  const { address, namespace } = target;
  let session: ClientHttp2Session | undefined;
  try {
    session = connect(...placeOf(target));
    await answerOf(session, target, withinMs);
  } catch (error) {
    throw explain(error, address, namespace);
  } finally {
    session?.destroy();
  }
}

function placeOf(target: TemporalConnection): Parameters<typeof connect> {
  const { host, port } = endpointOf(target.address);
  const authority = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  if (!speaksTls(target)) return [`http://${authority}`, {}];
  const { ca, certificate, key, serverName } = typeof target.tls === 'object' ? target.tls : {};
  const options = {
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && key !== undefined && { cert: certificate, key }),
    ...(serverName !== undefined && { servername: serverName }),
  };
  return [`https://${authority}`, options];
}

/** Resolves when the call was answered with success. */
function answerOf(session: ClientHttp2Session, target: TemporalConnection, withinMs: number): Promise<void> {
  const { namespace, apiKey, metadata } = target;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`nothing answered within ${withinMs / 1000} s`)), withinMs);
    session.once('close', () => {
      clearTimeout(timer);
      const usual = speaksTls(target) ? 'does not take the client certificate' : 'speaks TLS alone';
      reject(new Error(`it ended the connection without an answer, as one does that ${usual}`));
    });
    session.once('error', reject);
    const call = session.request({
      ':method': 'POST',
      ':path': DESCRIBE,
      'content-type': 'application/grpc',
      te: 'trailers',
      'temporal-namespace': namespace,
      ...metadata,
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
    });
    const judge = (headers: IncomingHttpHeaders) => {
      const status = headers['grpc-status'];
      if (status === undefined) return;
      if (status === '0') resolve();
      else reject(new Refusal(Number(status), querystring.unescape(String(headers['grpc-message'] ?? ''))));
    };
    call.once('response', (headers) => {
      if (headers[':status'] !== 200)
        reject(new Error(`what answers there is no Temporal: HTTP ${headers[':status']}`));
      judge(headers);
    });
    call.once('trailers', judge);
    // A failure of the whole connection says more, and comes right after.
    call.once('error', (error) => setImmediate(reject, error));
    call.once('end', () => setImmediate(reject, new Error('what answers there is no Temporal')));
    call.resume();
    call.end(describeNamespace(namespace));
  });
}

/** What a gRPC server answers instead of a message. */
class Refusal extends Error {
  constructor(
    /** gRPC's */
    readonly code: number,
    message: string,
  ) {
    super(message || `gRPC status ${code}`);
  }
}

/** DescribeNamespaceRequest: its field 1 is the namespace's name. Before it gRPC's frame: not compressed, length. */
function describeNamespace(namespace: string): Buffer {
  const name = Buffer.from(namespace);
  const message = Buffer.concat([Buffer.from([0x0a]), varint(name.length), name]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
