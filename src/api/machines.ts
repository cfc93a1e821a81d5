import { type Static, Type } from '@sinclair/typebox';
import { Constraints } from '../machines/constraints.js';
import { Job, Life, ServerAddress } from '../state/documents.js';
import { Ingress } from './exposures.js';
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
  ports: Type.Array(Type.String(), { description: 'those that are exposed, as they are typed' }),
  ingress: Type.Union([Type.Null(), Ingress], { description: 'null: nothing was ever exposed' }),
  memberId: Type.Union([Type.Integer(), Type.Null()]),
  /** Why its instance could not be started; empty when it could. */
  provisioningError: Type.String(),
  /** As they are typed; empty for none. */
  constraints: Type.String(),
  /** Name of its instance type; empty where the cloud chooses. */
  instanceType: Type.String(),
  agentVersion: Type.String(),
  /** Until when nothing is done to it, by the database's clock; empty for no maintenance. It may have ended by itself. */
  maintenanceUntil: Type.String(),
  version: Type.Integer(),
});
export type Machine = Static<typeof Machine>;

export const Machines = Type.Object({ machines: Type.Array(Machine) });
export type Machines = Static<typeof Machines>;

/** So many machines are asked for in one request; more in several. */
export const MOST_MACHINES = 500;

export const AddMachines = Type.Object(
  {
    count: Type.Integer({ minimum: 1, maximum: MOST_MACHINES }),
    constraints: Type.Optional(Constraints),
  },
  { additionalProperties: false },
);
export type AddMachines = Static<typeof AddMachines>;

export const AddedMachines = Type.Object({ machines: Type.Array(Type.String(), { description: 'their IDs' }) });
export type AddedMachines = Static<typeof AddedMachines>;

export const RemoveMachineQuery = Type.Object({
  force: Type.Optional(Type.Boolean({ description: 'end its instance without waiting for its agent to finish' })),
});

export const RemovedMachine = Type.Object({
  machine: Type.String(),
  life: Type.Union([Type.Literal('dying'), Type.Literal('dead')], {
    description: 'dying: its agent has to finish first; dead: its instance is ended',
  }),
  agent: AgentState,
});
export type RemovedMachine = Static<typeof RemovedMachine>;

export const CloudPlace = Type.Object({
  cloud: Type.String(),
  region: Type.String(),
  settings: Type.Record(Type.String(), Type.Unknown(), {
    description: 'how it lies there, for that cloud alone to understand; nothing in it is secret',
  }),
});
export type CloudPlace = Static<typeof CloudPlace>;

export const Addresses = Type.Object({
  version: Type.Integer(),
  servers: Type.Array(ServerAddress),
  /** Where the set is published besides. */
  url: Type.String(),
  /** Of what the environment trusts (`/v1/authority`); absent while it has its first CA. */
  authorityVersion: Type.Optional(Type.Integer()),
});
export type Addresses = Static<typeof Addresses>;
