/** Connections to members: TLS under the environment's CA, login by certificate, and deadlines that a frozen host cannot stretch. */
import { type Document, MongoClient, type MongoClientOptions, type ServerHeartbeatFailedEvent } from 'mongodb';
import { QuorateError } from '../errors.js';
import { type Identity, login } from '../pki/identity.js';

/**
 * The end of a process shows at once on the driver's own connection, and so does a change of its state. A frozen host is let go of
 * after both times together: 40 s by MongoDB's defaults. Each client costs its member two questions in every `heartbeatFrequencyMS`.
 */
const PATIENCE = { heartbeatFrequencyMS: 2000, connectTimeoutMS: 500, serverSelectionTimeoutMS: 2000 } as const;

/** A client of this one member, whatever state it is in. */
export function directClient(host: string, identity: Identity, options: MongoClientOptions = {}): MongoClient {
  // While somebody waits for it, a member that refuses connections is knocked at every 50 ms: it may be starting.
  const only = { directConnection: true, maxPoolSize: 4, minHeartbeatFrequencyMS: 50, appName: 'quorate' } as const;
  return new MongoClient(`mongodb://${host}/`, { ...login(identity), ...PATIENCE, ...only, ...options });
}

/**
 * Runs a command on the admin database. The driver closes a client for good when its first connection fails, unless it is
 * told to connect again, which costs nothing once it is connected.
 */
export async function adminCommand(client: MongoClient, command: Document): Promise<Document> {
  await client.connect();
  return client.db('admin').command(command);
}

/**
 * The promise's value, or a refusal `silent` as soon as the member's host refuses a connection: nobody listens there, so nothing is
 * to be waited for. The driver would go on knocking.
 */
export async function unlessRefused<T>(client: MongoClient, host: string, promise: Promise<T>): Promise<T> {
  let listener: (event: ServerHeartbeatFailedEvent) => void = () => undefined;
  const refused = new Promise<never>((_, reject) => {
    listener = ({ failure }) => {
      if ((failure.cause as NodeJS.ErrnoException | undefined)?.code !== 'ECONNREFUSED') return;
      reject(new QuorateError('silent', `${host} refuses connections`));
    };
    client.on('serverHeartbeatFailed', listener);
  });
  try {
    return await Promise.race([promise, refused]);
  } finally {
    client.off('serverHeartbeatFailed', listener);
  }
}

/** The promise's value, or a refusal `silent` after `ms`; what it was waiting for is left to end by itself. */
export async function within<T>(ms: number, host: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new QuorateError('silent', `${host} did not answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
