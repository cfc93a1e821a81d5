import type { Change } from '../api/changes.js';
import type { Machine } from '../api/machines.js';
import type { Setting } from '../api/settings.js';
import type { WatchMessage } from '../api/sockets.js';
import type { AgentState } from '../api/status.js';
import { constraintsText } from '../machines/constraints.js';
import type {
  AddressesDocument,
  ChangeDocument,
  EnvironmentDocument,
  EvidenceDocument,
  MachineDocument,
} from '../state/documents.js';
import type { StateEvent } from '../state/follow.js';
import type { OperationDocument, ResultDocument } from '../state/operation-documents.js';
import type { WrittenSetting } from '../state/setting-writes.js';
import { ingressView } from './ingress-view.js';
import { askedView, resultView } from './operation-views.js';

/** Documents as the API tells them: without what only controllers need. */
export function settingView({ _id: key, value, version, at, by }: WrittenSetting): Setting {
  return { key, value, version, at: at.toISOString(), by };
}

export function machineView(machine: MachineDocument, agent: AgentState): Machine {
  const {
    _id: id,
    jobs,
    life,
    instance,
    zone,
    memberId,
    provisioningError,
    constraints = {},
    instanceType = '',
    agentVersion,
    maintenanceUntil,
    version,
  } = machine;
  return {
    id,
    jobs,
    life,
    instance: instance?.id ?? '',
    instanceState: instance?.state ?? '',
    zone,
    address: instance?.address ?? '',
    agent,
    ...ingressView(machine),
    memberId,
    provisioningError,
    constraints: constraintsText(constraints),
    instanceType,
    agentVersion,
    maintenanceUntil: maintenanceUntil?.toISOString() ?? '',
    version,
  };
}

/** `key` is the environment's, of which the change's name is made. */
export function changeView(change: ChangeDocument, key: string): Change {
  const { _id: runId, number, startedAt, endedAt, version: _, ...said } = change;
  return {
    id: `${key}-${number}`,
    runId,
    ...said,
    startedAt: startedAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
  };
}

const KINDS = {
  environment: 'environment',
  machines: 'machine',
  addresses: 'addresses',
  settings: 'setting',
  changes: 'change',
  evidence: 'evidence',
  operations: 'operation',
  operationResults: 'operation-result',
} as const;

/** An event as `/v1/watch` tells it; null for what it does not tell. */
export function eventView(event: StateEvent, key: string): WatchMessage | null {
  if (event.kind === 'presence' || event.kind === 'credentials') return null;
  const { token, id, document } = event;
  const kind = KINDS[event.kind];
  // An old operation is forgotten; that says nothing of its machine.
  if (document === null && event.kind === 'operationResults') return null;
  if (document === null) return { token, kind, id, document: null };
  switch (event.kind) {
    case 'settings':
      return { token, kind, id, document: settingView(document as unknown as WrittenSetting) };
    case 'machines': {
      // The agent's state is no part of the document, and is not told with it.
      const { agent: _, ...view } = machineView(document as unknown as MachineDocument, 'pending');
      return { token, kind, id, document: view };
    }
    case 'changes': {
      const change = changeView(document as unknown as ChangeDocument, key);
      return { token, kind, id: change.id, document: change };
    }
    case 'addresses': {
      const { version, servers } = document as unknown as AddressesDocument;
      return { token, kind, id, document: { version, servers } };
    }
    case 'evidence': {
      const { controllers } = document as unknown as EvidenceDocument;
      const told = controllers.map(({ since, nextAt, ...said }) => ({
        ...said,
        since: since.toISOString(),
        nextAt: nextAt?.toISOString() ?? null,
      }));
      return { token, kind, id, document: { controllers: told } };
    }
    case 'operations':
      return { token, kind, id, document: askedView(document as unknown as OperationDocument) };
    case 'operationResults':
      return { token, kind, id, document: resultView(document as unknown as ResultDocument) };
    case 'environment': {
      const { name, cloud, life, desired, version } = document as unknown as EnvironmentDocument;
      return { token, kind, id, document: { name, uuid: id, cloud, life, desired, version } };
    }
  }
}
