import type { RouteName } from '../api/routes.js';
import type { Handler } from './call.js';
import { enrol } from './handlers/enrol.js';
import { expose, unexpose } from './handlers/exposures.js';
import { log } from './handlers/log.js';
import { addMachines, removeMachine, retryProvisioning } from './handlers/machines.js';
import { deleteMaintenance, putMaintenance } from './handlers/maintenance.js';
import { cancelOperation, exec, operation, operationOutput, operations } from './handlers/operations.js';
import { reach } from './handlers/reach.js';
import { renew } from './handlers/renew.js';
import { authority, controllerKeys, createToken, userData } from './handlers/secrets.js';
import { audit, login, logout, whoami } from './handlers/sessions.js';
import { deleteSetting, getSetting, listSettings, putSetting } from './handlers/settings.js';
import { statusLog } from './handlers/status-log.js';
import { adopt, temporal } from './handlers/temporal.js';
import { addUser, grant, listUsers, putPassword, removeUser, revoke } from './handlers/users.js';
import { addresses, change, changes, closeChange, cloud, machine, machines, status } from './handlers/views.js';
import { openApi } from './openapi.js';

/** Routes that are answered; the others are WebSockets. */
export type Answered = Exclude<RouteName, 'watch' | 'agent'>;

export const HANDLERS: { readonly [N in Answered]: Handler<N> } = {
  ping: async ({ config }) => ({ environment: config.environment.uuid, machine: config.machine, time: Date.now() }),
  openapi: async () => await openApi(),
  enrol,
  renew,
  status,
  reach,
  log,
  metrics: async ({ metrics }) => await metrics.text(),
  machines,
  machine,
  statusLog,
  addMachines,
  removeMachine,
  retryProvisioning,
  expose,
  unexpose,
  userData,
  putMaintenance,
  deleteMaintenance,
  settings: listSettings,
  setting: getSetting,
  putSetting,
  deleteSetting,
  addresses,
  cloud,
  authority,
  changes,
  change,
  closeChange,
  exec,
  operations,
  operation,
  operationOutput,
  cancelOperation,
  createToken,
  controllerKeys,
  users: listUsers,
  addUser,
  grant,
  revoke,
  removeUser,
  putPassword,
  login,
  logout,
  whoami,
  audit,
  temporal,
  adopt,
};
