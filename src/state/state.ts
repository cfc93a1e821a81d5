import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientSession, type Collection, type Db, MongoClient, ReadConcern, WriteConcern } from 'mongodb';
import { type Identity, login } from '../pki/identity.js';
import type {
  AddressesDocument,
  BucketDocument,
  ChangeDocument,
  CredentialDocument,
  EnvironmentDocument,
  EvidenceDocument,
  MachineDocument,
  PresenceDocument,
  RequestDocument,
  SettingDocument,
  TokenDocument,
} from './documents.js';
import type { CounterDocument, OperationDocument, OutputDocument, ResultDocument } from './operation-documents.js';
import { isPassing, MovedOn } from './passing.js';
import { PrimaryView } from './primary-view.js';
import type { StatusDocument } from './status-documents.js';
import type { AuditDocument, UserDocument } from './user-documents.js';

export const DATABASE = 'quorate';
export const REPLICA_SET = 'juju';

export interface StateOptions {
  /** host:port of members; any of them will do, the others are found from it. */
  readonly hosts: readonly string[];
  /** PEM. The certificate's subject is the user. */
  readonly tls: Identity;
  /** Talk to the first host alone, whatever it is in its set. */
  readonly direct?: boolean;
  /** How long an operation waits for a member that can take it. */
  readonly serverSelectionTimeoutMS?: number;
}

/** The environment's documents: majority reads, majority writes, journal on. */
export interface State {
  readonly client: MongoClient;
  readonly db: Db;
  readonly environment: Collection<EnvironmentDocument>;
  readonly machines: Collection<MachineDocument>;
  readonly presence: Collection<PresenceDocument>;
  readonly addresses: Collection<AddressesDocument>;
  readonly bucket: Collection<BucketDocument>;
  readonly settings: Collection<SettingDocument>;
  readonly tokens: Collection<TokenDocument>;
  readonly changes: Collection<ChangeDocument>;
  readonly evidence: Collection<EvidenceDocument>;
  readonly credentials: Collection<CredentialDocument>;
  readonly users: Collection<UserDocument>;
  readonly audit: Collection<AuditDocument>;
  readonly requests: Collection<RequestDocument>;
  readonly operations: Collection<OperationDocument>;
  readonly operationResults: Collection<ResultDocument>;
  readonly operationOutput: Collection<OutputDocument>;
  readonly counters: Collection<CounterDocument>;
  readonly statusLog: Collection<StatusDocument>;
  /** host:port of the primary as the driver sees it, or null. */
  primary(): string | null;
  /** Calls back when another primary than before is seen; answers how to stop that. */
  onPrimary(listener: (host: string) => void): () => void;
  /** Whether others reach a primary that this process does not. */
  readonly view: Pick<PrimaryView, 'cutOffFrom' | 'namedByOthers' | 'untilCutOff' | 'untilInTouch'>;
  close(): Promise<void>;
}

/**
 * Opens the state. Connections are made at once and in the background: the first operation waits for what it needs, so a
 * process may open the state before any member is up.
 */
export async function openState(options: StateOptions): Promise<State> {
  const client = new MongoClient(`mongodb://${options.hosts.join(',')}/`, {
    ...(options.direct ? { directConnection: true } : { replicaSet: REPLICA_SET }),
    ...login(options.tls),
    // A frozen host is let go after the two together; a killed one is noticed by its reset, a new primary is told at once.
    heartbeatFrequencyMS: 1000,
    connectTimeoutMS: 500,
    serverSelectionTimeoutMS: options.serverSelectionTimeoutMS ?? 10_000,
    // Connections to the next primary are there before it is one.
    minPoolSize: 2,
    maxPoolSize: 50,
    // Only for the first connection, which would fail without a primary; the database below reads from the primary.
    readPreference: 'primaryPreferred',
    readConcern: new ReadConcern('majority'),
    writeConcern: new WriteConcern('majority', undefined, true),
    ignoreUndefined: true,
  });
  const view = new PrimaryView();
  view.follow(client);
  let open = true;
  // The driver closes a client for good when its first connection fails (nobody is up yet), unless told to connect again.
  const connect = async (): Promise<void> => {
    while (open) {
      try {
        await client.connect();
        return;
      } catch {
        await sleep(50);
      }
    }
  };
  void connect();
  const db = client.db(DATABASE, { readPreference: 'primary' });
  return {
    client,
    db,
    environment: db.collection('environment'),
    machines: db.collection('machines'),
    presence: db.collection('presence'),
    addresses: db.collection('addresses'),
    bucket: db.collection('bucket'),
    settings: db.collection('settings'),
    tokens: db.collection('tokens'),
    changes: db.collection('changes'),
    evidence: db.collection('evidence'),
    credentials: db.collection('credentials'),
    users: db.collection('users'),
    audit: db.collection('audit'),
    requests: db.collection('requests'),
    operations: db.collection('operations'),
    operationResults: db.collection('operationResults'),
    operationOutput: db.collection('operationOutput'),
    counters: db.collection('counters'),
    statusLog: db.collection('statusLog'),
    primary: () => view.primary,
    onPrimary: (listener) => view.onPrimary(listener),
    view,
    close: () => {
      open = false;
      return client.close();
    },
  };
}

/**
 * Runs `work` in a transaction (snapshot reads, majority commit). The driver repeats it while errors are transient, for
 * `limitMs` at most, so `work` must be harmless done twice. What it throws aborts the transaction.
 */
export async function transaction<T>(
  state: State,
  work: (session: ClientSession) => Promise<T>,
  limitMs = 15_000,
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (let tries = 0; ; ) {
    try {
      return await state.client.withSession((session) =>
        session.withTransaction(
          async () => {
            // By itself the driver goes on for two minutes.
            if (tries > 0 && performance.now() > deadline)
              throw new MovedOn('others were in its way until its time was over');
            tries += 1;
            return await work(session);
          },
          {
            readConcern: { level: 'snapshot' },
            writeConcern: { w: 'majority', j: true },
            readPreference: 'primary',
          },
        ),
      );
    } catch (error) {
      // What the driver does not repeat by itself: it is not connected yet, or a connection ended while it was written to.
      if (!isPassing(error) || performance.now() > deadline) throw error;
      await sleep(20);
    }
  }
}

/** The database's own time; no other clock is ever compared with the dates in documents. */
export async function databaseTime(state: State): Promise<Date> {
  const answer = await state.client.db('admin').command({ hello: 1 }, { readPreference: 'primary' });
  return answer.localTime as Date;
}
