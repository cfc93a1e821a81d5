import type { Cloud, Instance } from '../cloud/cloud.js';
import type { LocalInstance } from '../cloud/local/group.js';
import type { LocalCloud } from '../cloud/local/local-cloud.js';
import type { OpenedCloud } from '../cloud/open.js';
import { usageError } from '../errors.js';
import type { OutputOptions } from './output.js';

/** What every command of the control panel has. */
export interface PanelOptions extends OutputOptions {
  readonly environment?: string;
}

/** What only the local cloud can do: how it is said, and what to do on another cloud where that differs. */
export interface LocalOnly {
  /** "pause machines" */
  readonly can: string;
  readonly elsewhere?: string;
}

/** The cloud of the chosen environment, whichever it is. */
export async function openPanel(options: PanelOptions) {
  const { store, record } = await chosen(options);
  const { cloudOf } = await import('./open-cloud.js');
  const cloud: OpenedCloud = await cloudOf(store, record);
  return { cloud, record };
}

/** The same for what only the local cloud can do: any other one is refused in words. */
export async function openLocalPanel(options: PanelOptions, only: LocalOnly) {
  const { store, record } = await chosen(options);
  if (record.cloud !== 'local') throw notLocal(record, only);
  const { openLocalCloud } = await import('../cloud/local/open.js');
  return { cloud: openLocalCloud(store.dirs.localCloud, record.region), record };
}

/** The instance that a person means, by its ID or by its machine, and all there are. */
export async function chooseInstance(
  wanted: string,
  options: PanelOptions,
  terminatedToo = false,
): Promise<{ cloud: Cloud; instance: Instance; all: readonly Instance[] }> {
  const { cloud, record } = await openPanel(options);
  const all = await cloud.list(record.uuid);
  return { cloud, instance: instanceNamed<Instance>(wanted, all, record.name, terminatedToo), all };
}

/** The same for what only the local cloud can do. */
export async function chooseLocalInstance(
  wanted: string,
  options: PanelOptions,
  only: LocalOnly,
): Promise<{ cloud: LocalCloud; instance: LocalInstance; all: readonly LocalInstance[] }> {
  const { cloud, record } = await openLocalPanel(options, only);
  const all = await cloud.list(record.uuid);
  return { cloud, instance: instanceNamed(wanted, all, record.name), all };
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

async function chosen(options: PanelOptions) {
  const { openStore } = await import('../store/store.js');
  const { chooseEnvironment } = await import('./environment.js');
  const store = await openStore();
  return { store, record: await chooseEnvironment(store, options.environment) };
}

function notLocal({ name, cloud }: { readonly name: string; readonly cloud: string }, { can, elsewhere }: LocalOnly) {
  return usageError(
    'not-local',
    `${name} runs on ${cloud}, and only the local cloud can ${can}.`,
    elsewhere ?? `On ${cloud} there are: quorate cloud list, log, ports, stop, start and terminate.`,
  );
}
