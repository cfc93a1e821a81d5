import { join } from 'node:path';
import { builtFile, packageRoot } from '../../package.js';
import { LocalCloud } from './local-cloud.js';
import type { Addressing } from './network.js';

/** What a machine's agent needs to find the servers where the operator's own commands find them, how much it says, and where its traces go. */
const PASSED_ON = [
  'QUORATE_MONGOD',
  'QUORATE_HOME',
  'XDG_CACHE_HOME',
  'XDG_DATA_HOME',
  'XDG_STATE_HOME',
  'NODE_OPTIONS',
  'QUORATE_LOG_LEVEL',
  'OTEL_SDK_DISABLED',
  'OTEL_TRACES_EXPORTER',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_TRACES_SAMPLER',
  'OTEL_TRACES_SAMPLER_ARG',
  'OTEL_RESOURCE_ATTRIBUTES',
] as const;

/**
 * Regions of the local cloud: `` gives each instance an address of its own where the system allows it, `ports` one address
 * for all and a port each, `namespace` a network, a root filesystem and a process table each (Linux, root). An environment
 * keeps what its first instance was started with.
 */
export const LOCAL_REGIONS = ['', 'ports', 'namespace'] as const;

/** Refuses, in words, a region that this system cannot have. */
export async function checkRegion(root: string, region: string): Promise<void> {
  if (region !== 'namespace') return;
  const { checkNamespaces } = await import('./namespace/isolation.js');
  await checkNamespaces(root);
}

const ADDRESSINGS: Readonly<Record<string, Addressing>> = { ports: 'ports', namespace: 'namespace' };

/** The local cloud whose instances run this package's agent. */
export function openLocalCloud(root: string, region = '', env: NodeJS.ProcessEnv = process.env): LocalCloud {
  const passed = PASSED_ON.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]));
  const init = join(packageRoot(), 'bin', 'quorated-init');
  return new LocalCloud({
    root,
    startCommand: ['/bin/sh', init, process.execPath, builtFile('programs', 'quorated.js')],
    env: Object.fromEntries(passed),
    addressing: ADDRESSINGS[region] ?? 'loopback',
  });
}
