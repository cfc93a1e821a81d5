import { type Static, Type } from '@sinclair/typebox';
import { AuthorityState } from '../state/authority-documents.js';
import { AgentReport, AgentSettings, Job, Life, ServerAddress } from '../state/documents.js';
import { OperationReport, ToldOperation, ToldOperations } from './agent-operations.js';
import { StatusReport, StatusTaken } from './status-log.js';

/** What an agent says on `/v1/agent`. */
export const AgentMessage = Type.Union([
  Type.Object({
    type: Type.Literal('hello'),
    /** Identifies one run of the agent. */
    session: Type.String({ minLength: 1, maxLength: 100 }),
    version: Type.String({ maxLength: 100 }),
  }),
  Type.Object({ type: Type.Literal('presence'), seq: Type.Integer(), report: AgentReport }),
  OperationReport,
  StatusReport,
]);
export type AgentMessage = Static<typeof AgentMessage>;

/** Whom everything on a machine is to trust and to be certified by. */
export const ToldAuthority = Type.Object({
  type: Type.Literal('authority'),
  version: Type.Integer(),
  phase: AuthorityState.properties.phase,
  trusted: Type.String({ description: 'CAs, PEM, the one that issues first' }),
  voucher: Type.String(),
});
export type ToldAuthority = Static<typeof ToldAuthority>;

/** What a controller says to an agent. */
export const ToAgent = Type.Union([
  /** Its machine, the address set and what agents need of the settings, after hello and whenever one of them changes. */
  Type.Object({
    type: Type.Literal('machine'),
    life: Life,
    jobs: Type.Array(Job),
    version: Type.Integer(),
    memberId: Type.Union([Type.Integer(), Type.Null()]),
    addresses: Type.Object({ version: Type.Integer(), servers: Type.Array(ServerAddress), url: Type.String() }),
    settings: AgentSettings,
  }),
  /** Whom the environment trusts, once its CA was rotated: after hello, before the machine, and with every step. */
  ToldAuthority,
  /** This beat and all before it are written. */
  Type.Object({ type: Type.Literal('ack'), seq: Type.Integer() }),
  /** The environment has no such machine any more: stop what it runs. */
  Type.Object({ type: Type.Literal('gone') }),
  ToldOperations,
  ToldOperation,
  /** Its status log is taken here. Older controllers say no such thing, and would close the connection at one. */
  StatusTaken,
  /** How it is to keep its connection: at hello, and when the number of agents is another one. Older agents know none. */
  Type.Object({
    type: Type.Literal('pace'),
    /** Between two beats while nothing changes. */
    beatMs: Type.Integer({ minimum: 1 }),
    /** How long it may hear nothing before it asks. */
    heartbeatMs: Type.Integer({ minimum: 1 }),
    /** And before it leaves this controller. */
    silentMs: Type.Integer({ minimum: 1 }),
    /** It comes back at some moment within so long when it loses this controller, so that not all come at once. */
    returnWithinMs: Type.Integer({ minimum: 0 }),
  }),
]);
export type ToAgent = Static<typeof ToAgent>;

/**
 * What `/v1/watch` tells. The first message is of kind `start`: it says where the watch begins, and is no event. The last
 * may be of kind `error`.
 */
export const WatchMessage = Type.Union([
  Type.Object({
    token: Type.String({ description: 'where to go on after this event, at any controller' }),
    kind: Type.Union(
      [
        'start',
        'environment',
        'machine',
        'addresses',
        'setting',
        'change',
        'evidence',
        'operation',
        'operation-result',
      ].map((kind) => Type.Literal(kind)),
    ),
    id: Type.String(),
    document: Type.Unknown({ description: 'as the API tells it, exactly as it was then; null when it was removed' }),
  }),
  Type.Object({ kind: Type.Literal('error'), code: Type.String(), message: Type.String(), todo: Type.String() }),
]);
export type WatchMessage = Static<typeof WatchMessage>;

export const WatchQuery = Type.Object({
  after: Type.Optional(Type.String({ maxLength: 4096, description: 'a token; without one, from now on' })),
});

export { CLOSE } from './protocol.js';
