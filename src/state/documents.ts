import { type Static, Type } from '@sinclair/typebox';
import { Constraints } from '../machines/constraints.js';
import { InstanceType } from '../machines/instance-type.js';
import { PortRule } from '../machines/ports.js';
import { AuthorityState } from './authority-documents.js';

/**
 * The environment's documents, database `quorate`. These schemas are the types, the check on the way in, and (translated)
 * the `$jsonSchema` validators in MongoDB. `_id` is the identity; `version` rises by one with every change and stands in
 * the filter of every transaction that was planned on the document.
 */

export const Job = Type.Union([
  Type.Literal('manage-state'),
  Type.Literal('manage-environ'),
  Type.Literal('host-units'),
]);
export const Life = Type.Union([Type.Literal('alive'), Type.Literal('dying'), Type.Literal('dead')]);

export const ServerAddress = Type.Object({
  machine: Type.String(),
  /** host:port */
  api: Type.String(),
  /** host:port */
  mongo: Type.String(),
  /** host:port of the API for those outside of the cloud's network; absent where that is no other. */
  public: Type.Optional(Type.String()),
});
export type ServerAddress = Static<typeof ServerAddress>;

/** Collection `environment`: one document. */
export const EnvironmentDocument = Type.Object({
  _id: Type.String({ description: 'environment UUID' }),
  name: Type.String(),
  cloud: Type.String(),
  region: Type.String(),
  /** How it lies on its cloud, for that alone to understand; absent where there is nothing to keep. */
  cloudSettings: Type.Optional(Type.Unsafe<Readonly<Record<string, unknown>>>({ bsonType: 'object' })),
  life: Life,
  /** The Temporal this environment's changes run in; another one is refused. */
  temporal: Type.Object({
    clusterId: Type.String(),
    namespace: Type.String(),
    /** How to reach it, sealed with the boot key; missing as long as it is the one of bootstrap, which is a file. */
    sealed: Type.Optional(Type.String()),
  }),
  /** Raised by `engine adopt`; workers of an older epoch are refused by every state transaction. */
  epoch: Type.Integer(),
  /** Controllers that were asked for last: what `enable-ha` without -n restores. */
  desired: Type.Integer(),
  zones: Type.Array(Type.String()),
  /** What its cloud has to give; absent where nobody asked it at bootstrap. */
  instanceTypes: Type.Optional(Type.Array(InstanceType)),
  /** Next IDs; never used twice. */
  nextMachine: Type.Integer(),
  nextMember: Type.Integer(),
  nextChange: Type.Integer(),
  /** SHA-256 fingerprint of the CA, for people. */
  caFingerprint: Type.String(),
  /** Whom it trusts since its CA was rotated; absent while it has its first one. */
  authority: Type.Optional(AuthorityState),
  /** Fallback URL of the published address set. */
  url: Type.String(),
  createdAt: Type.Unsafe<Date>({ bsonType: 'date' }),
  version: Type.Integer(),
});
export type EnvironmentDocument = Static<typeof EnvironmentDocument>;

/** What is let in from outside to a machine, as people asked for it, and how far it is so. */
export const IngressWanted = Type.Object({
  rules: Type.Array(PortRule),
  /** Rises with every change of the rules, and when something else was seen open. */
  version: Type.Integer(),
  /** The version that is in effect as far as is known; 0 for none. */
  applied: Type.Integer(),
  /** Where the ports can be reached from outside; empty until the cloud has said so. */
  address: Type.String(),
  /** Why some of it is not open; empty when all is, or nobody has tried. */
  error: Type.String(),
});
export type IngressWanted = Static<typeof IngressWanted>;

/** Collection `machines`. */
export const MachineDocument = Type.Object({
  _id: Type.String({ description: 'machine ID' }),
  jobs: Type.Array(Job),
  life: Life,
  zone: Type.String(),
  /** One nonce, one instance; decided with the document. */
  nonce: Type.String(),
  /** The replica set member `_id` that this machine's mongod has or will have; null for machines without manage-state. */
  memberId: Type.Union([Type.Integer(), Type.Null()]),
  /** What the user data of this machine was fixed with, so that a retry sends identical bytes. */
  boot: Type.Object({ addresses: Type.Array(Type.String()), url: Type.String(), version: Type.String() }),
  instance: Type.Union([
    Type.Null(),
    Type.Object({
      id: Type.String(),
      address: Type.String(),
      /** Where those outside of the cloud's network dial; absent where that is nowhere else. */
      publicAddress: Type.Optional(Type.String()),
      ports: Type.Object({ api: Type.Integer(), mongo: Type.Integer() }),
      state: Type.String(),
      /** What the cloud's own checks of it say; absent unless they fail. */
      checks: Type.Optional(Type.Literal('failing')),
      /** When the cloud is going to stop or end it, ISO 8601; absent where it is not. */
      retiresAt: Type.Optional(Type.String()),
      /** When it was first recorded, by the database's clock: the boot's time limit counts from here. */
      recordedAt: Type.Unsafe<Date>({ bsonType: 'date' }),
    }),
  ]),
  /** Why the last attempt to start its instance failed; empty when it did not. */
  provisioningError: Type.String(),
  /** What was asked for with it; absent for nothing. */
  constraints: Type.Optional(Constraints),
  /** Decided with the document; absent where the cloud chooses. */
  instanceType: Type.Optional(Type.String()),
  /** Zones that had no room for it, until there is an instance or all were tried. */
  fullZones: Type.Optional(Type.Array(Type.String())),
  /** How often a person has ended the pause after a failed start; absent for never. */
  retries: Type.Optional(Type.Integer()),
  /** Absent as long as none of its ports was ever exposed. */
  ingress: Type.Optional(IngressWanted),
  agentVersion: Type.String(),
  /** It knew the CA key and the boot key once and is no controller any more. */
  knewKeys: Type.Boolean(),
  /** Until when (the database's clock) a person said that it may be away; null for no maintenance. */
  maintenanceUntil: Type.Union([Type.Null(), Type.Unsafe<Date>({ bsonType: 'date' })]),
  /** How often its member was made anew in place; after two it is replaced. See `countedResyncs`. */
  resyncs: Type.Integer(),
  /** When that was last, by the database's clock; absent for never. */
  resyncedAt: Type.Optional(Type.Unsafe<Date>({ bsonType: 'date' })),
  createdAt: Type.Unsafe<Date>({ bsonType: 'date' }),
  version: Type.Integer(),
});
export type MachineDocument = Static<typeof MachineDocument>;

/** What the driver writes as a whole number, and MongoDB takes for one. */
const Count = Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 });

export const ServiceStatus = Type.Object({
  state: Type.Union([
    Type.Literal('starting'),
    Type.Literal('running'),
    Type.Literal('backing-off'),
    Type.Literal('stopping'),
    Type.Literal('stopped'),
  ]),
  /** Why, when not running; one sentence. */
  message: Type.String(),
  pid: Type.Union([Count, Type.Null()]),
  restarts: Count,
});
export type ServiceStatus = Static<typeof ServiceStatus>;

/** What an agent reports of its machine; sent with every presence beat. */
/** What the environment's settings are for agents. */
export const AgentSettings = Type.Object({
  /** How long the primary may be silent before this machine's member stands up. */
  suspectAfterMs: Type.Integer({ minimum: 1 }),
});
export type AgentSettings = Static<typeof AgentSettings>;

export const AgentReport = Type.Object({
  status: Type.Union([Type.Literal('started'), Type.Literal('stopping')]),
  services: Type.Object({
    mongod: Type.Optional(ServiceStatus),
    api: Type.Optional(ServiceStatus),
    worker: Type.Optional(ServiceStatus),
  }),
  /** Version of the address set that its agent.conf holds. */
  addressVersion: Count,
  /** Version of what the environment trusts that everything on this machine goes by; absent before it was told any. */
  authorityVersion: Type.Optional(Count),
  /** Machine IDs of the controllers whose API this agent reaches. */
  sees: Type.Array(Type.String()),
  mongod: Type.Union([
    Type.Null(),
    Type.Object({
      version: Type.String(),
      parameters: Type.Record(Type.String(), Type.String()),
      /** The member ID whose data it was started with. */
      member: Type.Optional(Count),
    }),
  ]),
  /** Successions that this agent began, and the reason it is switched off, if it is. */
  succession: Type.Object({ stoodUp: Count, freed: Count, off: Type.String() }),
  /** Of the file system that holds the machine's disk. */
  disk: Type.Optional(Type.Object({ freeBytes: Type.Number(), totalBytes: Type.Number() })),
  /** ISO 8601: the first end of a certificate of this machine. */
  certificateEnds: Type.Optional(Type.String()),
  /** The machine is dying, and nothing of its workload runs any more. */
  finished: Type.Optional(Type.Boolean()),
});
export type AgentReport = Static<typeof AgentReport>;

/** Collection `presence`: written in batches by API servers; `at` is the database server's time. */
export const PresenceDocument = Type.Object({
  _id: Type.String({ description: 'machine ID' }),
  /** Rises with every beat written. */
  seq: Type.Integer(),
  /** Identifies one run of the agent; changes when it restarts. */
  session: Type.String(),
  at: Type.Unsafe<Date>({ bsonType: 'date' }),
  since: Type.Unsafe<Date>({ bsonType: 'date' }),
  report: AgentReport,
  /** It beats for itself; absent where the roll of an API server says that it is connected (`RollDocument`). */
  beats: Type.Optional(Type.Boolean()),
});
export type PresenceDocument = Static<typeof PresenceDocument>;

/** Collection `addresses`: one document, `_id` "current". An old version never overwrites a newer one. */
export const AddressesDocument = Type.Object({
  _id: Type.Literal('current'),
  version: Type.Integer(),
  servers: Type.Array(ServerAddress),
});
export type AddressesDocument = Static<typeof AddressesDocument>;

/** Collection `bucket`: one document, `_id` "current": what the publisher and the cleaner did to the bucket last. */
export const BucketDocument = Type.Object({
  _id: Type.Literal('current'),
  /** The address set that it is known to have, or a newer one. */
  version: Type.Integer(),
  /** When that was made sure of. */
  at: Type.Unsafe<Date>({ bsonType: 'date' }),
  tidiedAt: Type.Optional(Type.Unsafe<Date>({ bsonType: 'date' })),
});
export type BucketDocument = Static<typeof BucketDocument>;

/** Collection `settings`: one document a setting. Keys under `x-` are free for the operator's own notes. */
export const SettingDocument = Type.Object({
  _id: Type.String(),
  value: Type.String(),
  version: Type.Integer(),
  at: Type.Unsafe<Date>({ bsonType: 'date' }),
  by: Type.String(),
  /**
   * The last requests that wrote it, newest first: the idempotency record lies in the document itself, so that a write
   * with its record is one operation.
   */
  requests: Type.Array(Type.Object({ key: Type.String(), fingerprint: Type.String(), version: Type.Integer() })),
});
export type SettingDocument = Static<typeof SettingDocument>;

/** Collection `tokens`: a boot token's nonce, bound to the first public key that used it. */
export const TokenDocument = Type.Object({
  _id: Type.String({ description: 'nonce' }),
  machine: Type.String(),
  publicKey: Type.String({ description: 'SHA-256 of the SPKI, hex' }),
  certificate: Type.String({ description: 'PEM; the same key gets the same again' }),
  boundAt: Type.Unsafe<Date>({ bsonType: 'date' }),
  /** Where another key tried to use the token from; an alarm, shown among the problems. */
  refusedFrom: Type.Array(Type.String()),
});
export type TokenDocument = Static<typeof TokenDocument>;

export const ChangeStep = Type.Object({
  text: Type.String(),
  state: Type.Union([
    Type.Literal('running'),
    Type.Literal('done'),
    Type.Literal('next'),
    Type.Literal('failed'),
    Type.Literal('waiting'),
  ]),
  reason: Type.String(),
  startedAt: Type.Union([Type.String(), Type.Null()]),
  /** Seconds it took, or null while it runs. */
  seconds: Type.Union([Type.Number(), Type.Null()]),
  /** What it was judged from, one sentence each: the cloud's word, silence, the config. */
  evidence: Type.Optional(Type.Array(Type.String())),
  /** Of a wait: its deadline, ISO 8601, and what was to be done then. */
  deadline: Type.Optional(Type.String()),
  otherwise: Type.Optional(Type.String()),
  /** What was heard of it last while it went on: how far a boot is, why it does not go on. */
  said: Type.Optional(Type.String()),
  /** Why it did not take effect, or what its deadline led to. */
  outcome: Type.Optional(Type.String()),
});
export type ChangeStep = Static<typeof ChangeStep>;

/**
 * Collection `changes`: the story of each change. `_id` is the workflow's first run ID; `number` is for people; `version`
 * is the sequence number of the last steps recorded, so that late ones change nothing.
 */
export const ChangeDocument = Type.Object({
  _id: Type.String(),
  number: Type.Integer(),
  kind: Type.String({ description: 'bootstrap | enable-ha | disable-ha' }),
  summary: Type.String(),
  workflowId: Type.String(),
  url: Type.String(),
  by: Type.String(),
  state: Type.Union([
    Type.Literal('running'),
    Type.Literal('done'),
    Type.Literal('blocked'),
    Type.Literal('cancelled'),
    Type.Literal('failed'),
  ]),
  steps: Type.Array(ChangeStep),
  result: Type.String(),
  startedAt: Type.Unsafe<Date>({ bsonType: 'date' }),
  endedAt: Type.Union([Type.Null(), Type.Unsafe<Date>({ bsonType: 'date' })]),
  version: Type.Integer(),
});
export type ChangeDocument = Static<typeof ChangeDocument>;

/**
 * Collection `evidence`: one document, `_id` "current": what the sentinel sees of controllers that are not well, and what
 * it will do. Written as a whole when that changes; only `at` is set in between, as a sign of life.
 */
export const EvidenceDocument = Type.Object({
  _id: Type.Literal('current'),
  controllers: Type.Array(
    Type.Object({
      machine: Type.String(),
      verdict: Type.String(),
      since: Type.Unsafe<Date>({ bsonType: 'date' }),
      /** What happens next if nothing else is seen, in words that go after "in 9 s: " or stand alone; may be empty. */
      next: Type.String(),
      nextAt: Type.Union([Type.Null(), Type.Unsafe<Date>({ bsonType: 'date' })]),
    }),
  ),
  /** The sentinel's rounds in order: a late one overwrites nothing. */
  sequence: Type.Number(),
  /** When it looked last. */
  at: Type.Unsafe<Date>({ bsonType: 'date' }),
});
export type EvidenceDocument = Static<typeof EvidenceDocument>;

/** Collection `credentials`: hashed bearer tokens of users and programs. */
export const CredentialDocument = Type.Object({
  _id: Type.String({ description: 'SHA-256 of the token, hex' }),
  user: Type.String(),
  role: Type.Union([Type.Literal('read'), Type.Literal('write'), Type.Literal('admin')]),
  createdAt: Type.Unsafe<Date>({ bsonType: 'date' }),
  expiresAt: Type.Unsafe<Date>({ bsonType: 'date' }),
});
export type CredentialDocument = Static<typeof CredentialDocument>;

/** Collection `requests`: idempotency keys and the answer that was given; MongoDB removes them after a day. */
export const RequestDocument = Type.Object({
  _id: Type.String({ description: 'user and idempotency key' }),
  /** SHA-256 of method, path and body: the same key with other contents is refused. */
  fingerprint: Type.String(),
  status: Type.Integer(),
  /** The answer as JSON, without any secret (those are derived again). */
  body: Type.String(),
  at: Type.Unsafe<Date>({ bsonType: 'date' }),
});
export type RequestDocument = Static<typeof RequestDocument>;
