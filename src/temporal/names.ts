/**
 * Workflow IDs, task queues and search attributes: the locks and the addresses of an environment in Temporal.
 * Pure; workflows import it.
 */

/** NAME-UUID8: two environments of one name never meet. */
export function environmentKey(name: string, uuid: string): string {
  return `${name}-${uuid.slice(0, 8)}`;
}

export const SINGLETONS = ['provisioner', 'firewaller', 'cleaner', 'publisher', 'sentinel'] as const;
export type Singleton = (typeof SINGLETONS)[number];

/** Who asks for replacements: what they are counted by. */
export const SENTINEL = 'sentinel';

/** Signal by which a worker leaves in a singleton's history that it goes on with what another one had begun. */
export const HANDED_OVER = 'handedOver';

export const workflowIds = {
  bootstrap: (key: string) => `${key}:bootstrap`,
  membership: (key: string) => `${key}:membership`,
  singleton: (key: string, name: Singleton) => `${key}:${name}`,
};

/** Three task queues an environment; who polls which is in docs/architecture.md. */
export const taskQueues = {
  workflows: (key: string) => `${key}-workflows`,
  cloud: (key: string) => `${key}-cloud`,
  network: (key: string) => `${key}-network`,
};

/**
 * A workflow task takes some hundredths of a second. One that was handed to a worker that left or was killed at that moment
 * is given to another after this time, instead of Temporal's ten seconds.
 */
export const WORKFLOW_TASK_TIMEOUT = '2s';

/** The header of OpenTelemetry's interceptors, which tells of the span that something was asked for in. */
export const TRACE_HEADER = '_tracer-data';

/** Worker Deployment name of an environment's workers. */
export const deploymentName = (key: string): string => key;

/** Workflow types: one type a kind of change, all of those that change controllers under one ID. */
export const CHANGE_TYPES = [
  'bootstrap',
  'enableHa',
  'disableHa',
  'replace',
  'switchover',
  'configure',
  'recover',
  'rotateCa',
  'destroy',
] as const;
export type ChangeType = (typeof CHANGE_TYPES)[number];

/** The word for a change as people type it: `enableHa` is enable-ha. */
export function changeKind(type: ChangeType): string {
  return type.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The ID that a type of change runs under: its lock. */
export function changeId(key: string, type: ChangeType): string {
  return type === 'bootstrap' ? workflowIds.bootstrap(key) : workflowIds.membership(key);
}

/** Controllers that the sentinel found lost, and why: one sentence. */
export interface Lost {
  readonly machines: readonly string[];
  readonly why: string;
}

/** What a change is called in the UI and on the command line: one sentence. */
export const changeSummary = {
  bootstrap: (name: string, controllers: number, cloud: string, by: string) =>
    `${name}: start with ${controllers === 1 ? 'one controller' : `${controllers} controllers`} on ${cloud}, asked for by ${by}`,
  membership: (name: string, from: number, to: number, by: string) =>
    `${name}: ${from} → ${to} ${Math.max(from, to) === 1 ? 'controller' : 'controllers'}, asked for by ${by}`,
  /** `avoid`: those that are to leave; none where only what is lost is replaced. */
  replace: (name: string, avoid: readonly string[], by: string, lost?: Lost) => {
    const machines = lost?.machines ?? avoid;
    const who = machines.length === 0 ? 'what is lost' : `machine ${machines.join(', ')}`;
    return `${name}: replace ${who}${lost ? ', lost' : ''}, asked for by ${by}`;
  },
  switchover: (name: string, to: string | null, by: string) =>
    `${name}: make ${to === null ? 'another machine' : `machine ${to}`} the primary, asked for by ${by}`,
  recover: (name: string, survivor: string, by: string) =>
    `${name}: go on with machine ${survivor} after a majority was lost, asked for by ${by}`,
  configure: (name: string, by: string) => `${name}: put changed settings into effect, asked for by ${by}`,
  rotateCa: (name: string, by: string) => `${name}: a new CA and boot key, asked for by ${by}`,
  destroy: (name: string, by: string) => `${name}: destroy it with everything in it, asked for by ${by}`,
};

/** How people name a change: NAME-UUID8-NUMBER. */
export function changeName(key: string, number: number): string {
  return `${key}-${number}`;
}

/** Every change answers this query with a `Progress`. */
export const PROGRESS_QUERY = 'progress';

/** Where the Temporal UI shows a workflow; empty when no UI is known. */
export function workflowUrl(ui: string | null, namespace: string, workflowId: string, runId = ''): string {
  if (ui === null || ui === '') return '';
  const page = `${ui.replace(/\/$/, '')}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`;
  return runId === '' ? page : `${page}/${runId}/history`;
}

export const searchAttributes = {
  environment: 'QuorateEnvironment',
  phase: 'QuoratePhase',
  controllers: 'QuorateControllers',
} as const;
