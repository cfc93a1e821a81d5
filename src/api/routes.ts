import { type TSchema, Type } from '@sinclair/typebox';
import { UserData } from '../boot/user-data.js';
import * as access from './access.js';
import { Change, Changes, ChangesQuery, CloseChange } from './changes.js';
import { Expose, Exposed, Unexpose } from './exposures.js';
import { Log, LogQuery } from './log.js';
import {
  AddedMachines,
  AddMachines,
  Addresses,
  CloudPlace,
  Machine,
  Machines,
  RemovedMachine,
  RemoveMachineQuery,
} from './machines.js';
import { Maintenance, PutMaintenance } from './maintenance.js';
import { NewOperation, Operation, Operations, OperationsQuery, Output, OutputQuery } from './operations.js';
import { Reach } from './reach.js';
import { DeleteSettingQuery, PutSetting, Setting, SettingQuery, Settings, SettingsQuery } from './settings.js';
import { WatchQuery } from './sockets.js';
import { Status } from './status.js';
import { StatusLog, StatusLogQuery } from './status-log.js';
import { Adopt, TemporalPlace } from './temporal.js';
import * as users from './users.js';

/** One route: what it is for, who may call it, what goes in and what comes out. */
export interface Route {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** With `:name` for parameters. */
  readonly path: string;
  readonly summary: string;
  /** Who may call it. `anyone`: no login. */
  readonly may: 'anyone' | readonly access.Role[];
  readonly query?: TSchema;
  readonly body?: TSchema;
  /** Bytes of a body, where more may be needed than 64 KiB. */
  readonly largestBody?: number;
  readonly answer: TSchema;
  /** Content type of the answer, where it is text and not JSON. */
  readonly text?: string;
  /** Status of the good answer; 200 when left out. */
  readonly status?: number;
  /** Carries an idempotency key: done again with the same key, it is done once. */
  readonly change?: true;
  /** A WebSocket. */
  readonly socket?: true;
  /** About the controller that is asked: answered by one that is cut off from the primary as well. */
  readonly own?: true;
}

const READERS = ['read', 'write', 'admin'] as const;
const READERS_AND_AGENTS = [...READERS, 'agent'] as const;
const WRITERS = ['write', 'admin'] as const;
const ADMIN = ['admin'] as const;
const AGENT = ['agent'] as const;
const Nothing = Type.Object({});

/** The whole API. Server, OpenAPI document and tests come from this table. */
export const ROUTES = {
  ping: {
    method: 'GET',
    path: '/v1/ping',
    summary: 'Whether this controller answers, and which it is; the database is not asked',
    may: 'anyone',
    answer: access.Ping,
    own: true,
  },
  openapi: {
    method: 'GET',
    path: '/v1/openapi.json',
    summary: 'This document',
    may: 'anyone',
    answer: Type.Unknown(),
    own: true,
  },
  enrol: {
    method: 'POST',
    path: '/v1/enrol',
    summary: 'A new machine gets its certificate for its one-time token; the same key gets the same certificate again',
    may: 'anyone',
    body: access.Enrol,
    answer: access.Enrolled,
  },
  renew: {
    method: 'POST',
    path: '/v1/renew',
    summary: 'Whoever calls with a certificate gets the next one in its own name, for a new key',
    may: ['admin', 'agent'],
    body: access.Renew,
    answer: access.Enrolled,
  },
  status: {
    method: 'GET',
    path: '/v1/status',
    summary: 'The environment at a glance; without a majority what this controller remembers, marked stale',
    may: READERS,
    answer: Status,
  },
  reach: {
    method: 'GET',
    path: '/v1/reach',
    summary: 'Whom this controller itself reaches, looked at now: APIs, and members as its own member hears them',
    may: READERS,
    answer: Reach,
    own: true,
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'What this controller and its worker measure, for Prometheus',
    may: READERS,
    answer: Type.String(),
    text: 'text/plain; version=0.0.4; charset=utf-8',
    own: true,
  },
  log: {
    method: 'GET',
    path: '/v1/log',
    summary: "The end of the logs of this controller's own programs, or what was written since a cursor",
    may: ADMIN,
    query: LogQuery,
    answer: Log,
    own: true,
  },
  machines: { method: 'GET', path: '/v1/machines', summary: 'All machines', may: READERS, answer: Machines },
  machine: { method: 'GET', path: '/v1/machines/:id', summary: 'One machine', may: READERS, answer: Machine },
  statusLog: {
    method: 'GET',
    path: '/v1/machines/:id/status-log',
    summary: 'How the agent of a machine and its services were, the latest first; of one that is gone too, for a while',
    may: READERS,
    query: StatusLogQuery,
    answer: StatusLog,
  },
  addMachines: {
    method: 'POST',
    path: '/v1/machines',
    summary: 'Ask for machines; their instances are started afterwards, spread over the zones',
    may: WRITERS,
    body: AddMachines,
    answer: AddedMachines,
    status: 201,
    change: true,
  },
  removeMachine: {
    method: 'DELETE',
    path: '/v1/machines/:id',
    summary: 'Take a machine away that is no controller; its agent finishes first',
    may: WRITERS,
    query: RemoveMachineQuery,
    answer: RemovedMachine,
    change: true,
  },
  retryProvisioning: {
    method: 'POST',
    path: '/v1/machines/:id/retry-provisioning',
    summary: 'Try at once again to start the instance of a machine, in every zone',
    may: WRITERS,
    answer: Nothing,
    change: true,
  },
  userData: {
    method: 'GET',
    path: '/v1/machines/:id/user-data',
    summary: 'What the instance of a machine is started with; holds its one-time token',
    may: ADMIN,
    answer: UserData,
  },
  putMaintenance: {
    method: 'PUT',
    path: '/v1/machines/:id/maintenance',
    summary: 'For so long from now nothing is done to a machine that is silent; it ends by itself',
    may: ADMIN,
    body: PutMaintenance,
    answer: Maintenance,
    change: true,
  },
  deleteMaintenance: {
    method: 'DELETE',
    path: '/v1/machines/:id/maintenance',
    summary: 'End the maintenance of a machine now',
    may: ADMIN,
    answer: Nothing,
    change: true,
  },
  expose: {
    method: 'POST',
    path: '/v1/machines/:id/expose',
    summary: 'Let in from outside to ports of a machine; asked again with other networks, to those',
    may: WRITERS,
    body: Expose,
    answer: Exposed,
    change: true,
  },
  unexpose: {
    method: 'POST',
    path: '/v1/machines/:id/unexpose',
    summary: 'Let nobody in from outside to these ports any more',
    may: WRITERS,
    body: Unexpose,
    answer: Exposed,
    change: true,
  },
  settings: {
    method: 'GET',
    path: '/v1/settings',
    summary: 'Settings by key, those with a default included',
    may: READERS,
    query: SettingsQuery,
    answer: Settings,
  },
  setting: {
    method: 'GET',
    path: '/v1/settings/:key',
    summary: 'One setting',
    may: READERS,
    query: SettingQuery,
    answer: Setting,
  },
  putSetting: {
    method: 'PUT',
    path: '/v1/settings/:key',
    summary: 'Set a setting if it is still at the version that was read',
    may: WRITERS,
    body: PutSetting,
    answer: Setting,
    change: true,
  },
  deleteSetting: {
    method: 'DELETE',
    path: '/v1/settings/:key',
    summary: 'Remove a setting, if it is still at that version; a known one goes back to its default',
    may: WRITERS,
    query: DeleteSettingQuery,
    answer: Nothing,
    change: true,
  },
  addresses: {
    method: 'GET',
    path: '/v1/addresses',
    summary: 'The published address set',
    may: READERS_AND_AGENTS,
    answer: Addresses,
  },
  cloud: {
    method: 'GET',
    path: '/v1/cloud',
    summary: 'Where the environment lies, for who asks its cloud',
    may: READERS,
    answer: CloudPlace,
  },
  authority: {
    method: 'GET',
    path: '/v1/authority',
    summary: 'Whom the environment trusts: its CA, and another one beside it while that is rotated',
    may: READERS_AND_AGENTS,
    answer: access.Authority,
  },
  changes: {
    method: 'GET',
    path: '/v1/changes',
    summary: 'Changes, the latest first',
    may: READERS,
    query: ChangesQuery,
    answer: Changes,
  },
  change: {
    method: 'GET',
    path: '/v1/changes/:id',
    summary: 'One change and its story, by its ID, its number or its first run ID',
    may: READERS,
    answer: Change,
  },
  closeChange: {
    method: 'POST',
    path: '/v1/changes/:id/close',
    summary:
      'Writes down as failed what is written down as running and whose workflow is gone; one that has ended stays',
    may: ADMIN,
    body: CloseChange,
    answer: Change,
    change: true,
  },
  exec: {
    method: 'POST',
    path: '/v1/operations',
    summary: 'Run a command on machines, once on each',
    may: ADMIN,
    body: NewOperation,
    // Ten thousand machines by name, and a command.
    largestBody: 192 * 1024,
    answer: Operation,
    status: 201,
    change: true,
  },
  operations: {
    method: 'GET',
    path: '/v1/operations',
    summary: 'Commands that were run on machines, the latest first',
    may: READERS,
    query: OperationsQuery,
    answer: Operations,
  },
  operation: {
    method: 'GET',
    path: '/v1/operations/:id',
    summary: 'One of them, and how it went on each machine',
    may: READERS,
    answer: Operation,
  },
  operationOutput: {
    method: 'GET',
    path: '/v1/operations/:id/output',
    summary: 'What a command wrote on one machine, a part at a time',
    may: ADMIN,
    query: OutputQuery,
    answer: Output,
  },
  cancelOperation: {
    method: 'POST',
    path: '/v1/operations/:id/cancel',
    summary: 'End a command where it runs, and do not begin it where it waits; what has ended stays',
    may: ADMIN,
    answer: Operation,
    change: true,
  },
  createToken: {
    method: 'POST',
    path: '/v1/tokens',
    summary: 'A bearer token for a user or a program, with a role and an end',
    may: ADMIN,
    body: access.NewToken,
    answer: access.Token,
    status: 201,
    change: true,
  },
  users: { method: 'GET', path: '/v1/users', summary: 'All users', may: ADMIN, answer: users.Users },
  addUser: {
    method: 'POST',
    path: '/v1/users',
    summary: 'A user who logs in with a password',
    may: ADMIN,
    body: users.NewUser,
    answer: users.User,
    status: 201,
    change: true,
  },
  grant: {
    method: 'PUT',
    path: '/v1/users/:name/role',
    summary: 'Give a user a role; another one than before voids the user’s tokens',
    may: ADMIN,
    body: users.PutRole,
    answer: users.User,
    change: true,
  },
  revoke: {
    method: 'DELETE',
    path: '/v1/users/:name/role',
    summary: 'Take a user’s role and tokens; the user stays and may do nothing until a role is granted',
    may: ADMIN,
    answer: users.User,
    change: true,
  },
  removeUser: {
    method: 'DELETE',
    path: '/v1/users/:name',
    summary: 'Remove a user and void the user’s tokens',
    may: ADMIN,
    answer: Nothing,
    change: true,
  },
  putPassword: {
    method: 'PUT',
    path: '/v1/users/:name/password',
    summary: 'Change one’s own password or, as an admin, somebody’s; voids the user’s tokens',
    may: READERS,
    body: users.PutPassword,
    answer: users.User,
    change: true,
  },
  login: {
    method: 'POST',
    path: '/v1/login',
    summary: 'A bearer token for a name and a password; asked again, another one',
    may: 'anyone',
    body: users.LogIn,
    answer: access.Token,
  },
  logout: {
    method: 'POST',
    path: '/v1/logout',
    summary: 'Void the token that this is called with',
    may: READERS,
    answer: Nothing,
    change: true,
  },
  whoami: {
    method: 'GET',
    path: '/v1/whoami',
    summary: 'Who the caller is here, and until when',
    may: READERS_AND_AGENTS,
    answer: users.WhoAmI,
  },
  audit: {
    method: 'GET',
    path: '/v1/audit',
    summary: 'Who changed what, with what result, the latest first; refusals and failed logins too',
    may: ADMIN,
    query: users.AuditQuery,
    answer: users.Audit,
  },
  temporal: {
    method: 'GET',
    path: '/v1/temporal',
    summary: 'Which Temporal the changes of the environment run in',
    may: ADMIN,
    answer: TemporalPlace,
  },
  adopt: {
    method: 'POST',
    path: '/v1/temporal',
    summary: 'Another Temporal takes over: the epoch is raised, and workers of the one before are refused',
    may: ADMIN,
    body: Adopt,
    answer: TemporalPlace,
    change: true,
  },
  controllerKeys: {
    method: 'GET',
    path: '/v1/controller-keys',
    summary: 'What only controllers know, for the agent of a machine that is to be one',
    may: AGENT,
    answer: access.ControllerKeys,
  },
  watch: {
    method: 'GET',
    path: '/v1/watch',
    summary: 'WebSocket: every change of the environment, in order and each once, from a token on',
    may: READERS,
    query: WatchQuery,
    answer: Type.Unknown(),
    socket: true,
  },
  agent: {
    method: 'GET',
    path: '/v1/agent',
    summary: 'WebSocket: an agent reports presence and is told of its machine and the address set',
    may: AGENT,
    answer: Type.Unknown(),
    socket: true,
  },
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof ROUTES;
