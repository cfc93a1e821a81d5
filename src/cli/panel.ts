import type { Instance } from '../cloud/cloud.js';
import type { LocalInstance } from '../cloud/local/group.js';
import type { LocalCloud } from '../cloud/local/local-cloud.js';
import { usageError } from '../errors.js';
import type { OutputOptions } from './output.js';

/** What every command of the control panel has. */
export interface PanelOptions extends OutputOptions {
  readonly environment?: string;
}

/** The local cloud of the chosen environment. */
export async function openPanel(options: PanelOptions) {
  const { openStore } = await import('../store/store.js');
  const { chooseEnvironment } = await import('./environment.js');
  const { openLocalCloud } = await import('../cloud/local/open.js');
  const store = await openStore();
  const record = await chooseEnvironment(store, options.environment);
  if (record.cloud !== 'local') {
    throw usageError(
      'not-local',
      `${record.name} runs on ${record.cloud}; this control panel is for the local cloud.`,
      "Use the provider's own console.",
    );
  }
  return { cloud: openLocalCloud(store.dirs.localCloud, record.region), record };
}

/** The instance that a person means, by its ID or by its machine, and all there are. */
export async function chooseInstance(
  wanted: string,
  options: PanelOptions,
  terminatedToo = false,
): Promise<{ cloud: LocalCloud; instance: LocalInstance; all: readonly LocalInstance[] }> {
  const { cloud, record } = await openPanel(options);
  const all = await cloud.list(record.uuid);
  return { cloud, instance: instanceNamed(wanted, all, record.name, terminatedToo), all };
}

/** By ID or machine among those of an environment. */
export function instanceNamed<T extends Instance>(
  wanted: string,
  all: readonly T[],
  environment: string,
  terminatedToo = false,
): T {
  const byId = all.find((instance) => instance.id === wanted);
  const ofMachine = all.filter((instance) => instance.tags.machine === wanted);
  const instance =
    byId ?? ofMachine.find(({ state }) => state !== 'terminated') ?? (terminatedToo ? ofMachine.at(-1) : undefined);
  if (instance) return instance;
  const known = all.filter(({ state }) => state !== 'terminated').map((i) => `${i.tags.machine} (${i.id})`);
  throw usageError(
    'unknown-instance',
    ofMachine.length > 0
      ? `the instance of machine ${wanted} is terminated.`
      : `${environment} has no instance '${wanted}'.`,
    known.length > 0 ? `There are: ${known.join(', ')}.` : 'There are none.',
  );
}
