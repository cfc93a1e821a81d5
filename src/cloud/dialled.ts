import type { Instance } from './cloud.js';

/**
 * Where the API servers of an environment may answer, as `host:port`: of every instance that runs, the address inside of the
 * cloud's network and the one outside, as nobody knows where we are. Pure.
 */
export function apiAddresses(instances: readonly Instance[]): string[] {
  return instances
    .filter(({ state }) => state === 'running')
    .flatMap(({ address, publicAddress = '', ports }) =>
      [address, publicAddress].filter((host) => host !== '').map((host) => `${host}:${ports.api}`),
    );
}
