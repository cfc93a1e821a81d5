import { type Static, Type } from '@sinclair/typebox';
import { Job, Life, ServerAddress } from '../state/documents.js';
import { AgentState } from './status.js';

/** A machine as the API tells it. */
export const Machine = Type.Object({
  id: Type.String(),
  jobs: Type.Array(Job),
  life: Life,
  /** Instance ID; empty while it has none. */
  instance: Type.String(),
  /** What the cloud said of the instance last. */
  instanceState: Type.String(),
  zone: Type.String(),
  address: Type.String(),
  agent: AgentState,
  ports: Type.Array(Type.String()),
  memberId: Type.Union([Type.Integer(), Type.Null()]),
  /** Why its instance could not be started; empty when it could. */
  provisioningError: Type.String(),
  agentVersion: Type.String(),
  /** Until when nothing is done to it, by the database's clock; empty for no maintenance. It may have ended by itself. */
  maintenanceUntil: Type.String(),
  version: Type.Integer(),
});
export type Machine = Static<typeof Machine>;

export const Machines = Type.Object({ machines: Type.Array(Machine) });
export type Machines = Static<typeof Machines>;

export const Addresses = Type.Object({
  version: Type.Integer(),
  servers: Type.Array(ServerAddress),
  /** Where the set is published besides. */
  url: Type.String(),
});
export type Addresses = Static<typeof Addresses>;
