import { duration } from '../../api/duration.js';
import type { Store } from '../../store/store.js';
import { type Judged, wrong } from './finding.js';

/** What the engine's namespace has of what changes want. */
export interface NamespaceSeen {
  readonly address: string;
  readonly namespace: string;
  /** Seconds that a closed workflow is kept. */
  readonly retentionS: number;
  /** Search attributes that lack, and what someone who may has to run for them. */
  readonly missing: readonly string[];
  readonly howToRegister: string;
}

/**
 * Stories of changes are the environment's own; Temporal is asked for the end of a change that is followed, and by a person who
 * wants to know what happened over night.
 */
const LEAST_RETENTION_S = 24 * 3600;

/** Pure. */
export function judgeNamespace(seen: NamespaceSeen): readonly Judged[] {
  const { address, namespace, retentionS, missing, howToRegister } = seen;
  const judged: Judged[] = [];
  if (missing.length > 0) {
    judged.push(
      wrong(
        `Temporal lacks the search attributes ${missing.join(', ')}: changes are not found by them`,
        `Register them with: quorate doctor --fix      or, where that is not allowed: ${howToRegister}`,
        { kind: 'register-search-attributes' },
      ),
    );
  }
  if (retentionS < LEAST_RETENTION_S) {
    judged.push(
      wrong(
        `Temporal keeps closed workflows of the namespace ${namespace} for ${duration(retentionS)} only: what a change did is not to be seen there the day after`,
        `Keep them for a day at least: temporal operator namespace update --address ${address} -n ${namespace} --retention 24h`,
      ),
    );
  }
  return judged;
}

export async function askNamespace(store: Store): Promise<NamespaceSeen> {
  const { engineConnection } = await import('../../engine/engine.js');
  const { connectTemporal } = await import('../../temporal/connect.js');
  const { howToRegister, missingSearchAttributes } = await import('../../temporal/attributes.js');
  const { connection, uiUrl } = await engineConnection(store.dirs);
  const temporal = await connectTemporal({ target: connection, uiUrl, timeoutMs: 3000 });
  const { address, namespace } = temporal;
  try {
    const { config } = await temporal.connection.workflowService.describeNamespace({ namespace });
    const missing = await missingSearchAttributes(temporal);
    const retentionS = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
    return { address, namespace, retentionS, missing, howToRegister: howToRegister(missing, temporal) };
  } finally {
    await temporal.connection.close();
  }
}
