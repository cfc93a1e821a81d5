import { type Static, Type } from '@sinclair/typebox';
import { Job, Life, ServiceStatus } from '../state/documents.js';
import { Ingress } from './exposures.js';

/**
 * What `GET /v1/status` answers and `quorate status --format json` prints: stable, fields may be added.
 */
export const AgentState = Type.Union(
  [Type.Literal('started'), Type.Literal('pending'), Type.Literal('down'), Type.Literal('stopped')],
  { description: 'pending: never heard of. down: silent. stopped: left in order.' },
);
export type AgentState = Static<typeof AgentState>;

export const Phase = Type.Union([
  Type.Literal('default'),
  Type.Literal('ha'),
  Type.Literal('changing'),
  Type.Literal('degraded'),
  Type.Literal('no-quorum'),
]);
export type Phase = Static<typeof Phase>;

/** null: it is under none. While it is, nothing is done to the machine. */
export const MaintenanceStatus = Type.Union([
  Type.Null(),
  Type.Object({ until: Type.String({ description: 'by the database’s clock' }), secondsLeft: Type.Integer() }),
]);
/** What is exposed on a machine. */
const Exposures = {
  ports: Type.Array(Type.String(), { description: 'those that are exposed, as they are typed' }),
  ingress: Type.Union([Type.Null(), Ingress], { description: 'null: nothing was ever exposed' }),
};
/** What every machine says of itself. */
const OwnReport = {
  agentVersion: Type.String(),
  disk: Type.Union([Type.Null(), Type.Object({ freeBytes: Type.Number(), totalBytes: Type.Number() })]),
  certificateEnds: Type.String({ description: 'ISO 8601, the first of its certificates; empty when it has not said' }),
};

export const ControllerStatus = Type.Object({
  machine: Type.String(),
  instance: Type.String(),
  zone: Type.String(),
  life: Life,
  address: Type.String(),
  /** host:port */
  api: Type.String(),
  /** host:port of the API for those outside of the cloud's network; absent where that is no other. */
  public: Type.Optional(Type.String()),
  mongo: Type.String(),
  agent: AgentState,
  /** Since when its agent is what it is; empty when it was never heard of. */
  since: Type.String(),
  /** How long its agent has been silent, as this controller saw it. */
  silentSeconds: Type.Number(),
  sees: Type.Array(Type.String(), { description: 'the controllers that this one reaches' }),
  member: Type.Union([
    Type.Null(),
    Type.Object({
      id: Type.Integer(),
      state: Type.String(),
      vote: Type.Boolean(),
      healthy: Type.Boolean(),
      lagSeconds: Type.Union([Type.Number(), Type.Null()]),
    }),
  ]),
  services: Type.Object({
    mongod: Type.Optional(ServiceStatus),
    api: Type.Optional(ServiceStatus),
    worker: Type.Optional(ServiceStatus),
  }),
  mongod: Type.Union([
    Type.Null(),
    Type.Object({ version: Type.String(), parameters: Type.Record(Type.String(), Type.String()) }),
  ]),
  succession: Type.Object({ stoodUp: Type.Integer(), freed: Type.Integer(), off: Type.String() }),
  maintenance: MaintenanceStatus,
  ...Exposures,
  ...OwnReport,
  evidence: Type.Union(
    [
      Type.Null(),
      Type.Object({
        verdict: Type.String(),
        sinceSeconds: Type.Number(),
        /** In words that go after "in 9 s: " or stand alone; empty when nothing will happen by itself. */
        next: Type.String(),
        nextInSeconds: Type.Union([Type.Number(), Type.Null()]),
      }),
    ],
    { description: 'what the sentinel sees of a controller that is not well, and what it will do; null: it is well' },
  ),
});
export type ControllerStatus = Static<typeof ControllerStatus>;

export const MachineStatus = Type.Object({
  id: Type.String(),
  jobs: Type.Array(Job),
  life: Life,
  instance: Type.String(),
  zone: Type.String(),
  address: Type.String(),
  agent: AgentState,
  ...Exposures,
  /** What the cloud said of the instance last; empty while there is none. */
  instanceState: Type.String(),
  constraints: Type.String({ description: 'as they are typed; empty for none' }),
  instanceType: Type.String(),
  provisioningError: Type.String({ description: 'why its instance could not be started; empty when it could' }),
  maintenance: MaintenanceStatus,
  ...OwnReport,
});
export type MachineStatus = Static<typeof MachineStatus>;

export const RunningChange = Type.Object({
  id: Type.String(),
  workflowId: Type.String(),
  kind: Type.String(),
  step: Type.String(),
  startedAt: Type.String(),
  url: Type.String(),
});

export const Status = Type.Object(
  {
    environment: Type.Object({
      name: Type.String(),
      uuid: Type.String(),
      cloud: Type.String(),
      life: Life,
      phase: Phase,
      /** The Temporal that its changes run in. */
      temporal: Type.Object({ clusterId: Type.String(), namespace: Type.String() }),
    }),
    ha: Type.Object({
      desired: Type.Integer(),
      voters: Type.Integer(),
      healthyVoters: Type.Integer(),
      /** Controllers that can be lost before writes stop. */
      faultTolerance: Type.Integer(),
      primary: Type.Union([Type.String(), Type.Null()], { description: 'machine ID' }),
      problems: Type.Array(Type.String(), { description: 'one sentence each' }),
    }),
    controllers: Type.Array(ControllerStatus),
    machines: Type.Array(MachineStatus),
    change: Type.Union([Type.Null(), RunningChange]),
    /** There is no majority: this is what one controller remembers. */
    stale: Type.Boolean(),
    /** Machine ID of the controller that answered. */
    answeredBy: Type.String(),
  },
  { $id: 'Status' },
);
export type Status = Static<typeof Status>;
