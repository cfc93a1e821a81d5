import { type Static, Type } from '@sinclair/typebox';
import { StatusEntry } from '../state/status-documents.js';

export const StatusLogQuery = Type.Object(
  { limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })) },
  { additionalProperties: false },
);

/** What `GET /v1/machines/:id/status-log` answers, the latest entry first. */
export const StatusLog = Type.Object(
  {
    machine: Type.String(),
    entries: Type.Array(
      Type.Object({
        number: Type.Integer({ description: 'rises; never used twice in the life of a machine' }),
        at: Type.String({ description: 'ISO 8601, by the clock of the machine' }),
        arrivedAt: Type.String({ description: 'ISO 8601, by the clock of the database: when a controller took it' }),
        what: Type.String({ description: 'agent, mongod, api, worker, disk, certificate, conf, status-log' }),
        status: Type.String(),
        message: Type.String(),
      }),
    ),
  },
  { $id: 'StatusLog' },
);
export type StatusLog = Static<typeof StatusLog>;

/**
 * What agents and controllers say of it, on `/v1/agent`. An agent sends entries once it is told that they are taken here,
 * the next ones once it is told that those before are written.
 */
export const ENTRIES_AT_ONCE = 50;
export const StatusReport = Type.Object({
  type: Type.Literal('status-log'),
  entries: Type.Array(StatusEntry, { minItems: 1, maxItems: ENTRIES_AT_ONCE }),
});
export type StatusReport = Static<typeof StatusReport>;

/** They are taken here, and a majority has all that it sent up to this number; 0 before it has sent any. */
export const StatusTaken = Type.Object({
  type: Type.Literal('status-log'),
  upTo: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
});
export type StatusTaken = Static<typeof StatusTaken>;
