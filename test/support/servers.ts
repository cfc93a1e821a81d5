import { dirsOf } from '../../src/store/dirs.js';
import { findServer } from '../../src/toolchain/find.js';
import { SERVERS } from '../../src/toolchain/servers.js';

/**
 * Vitest's global setup of the integration tests: finds mongod and temporal once, into the person's own cache, so that tests
 * with an empty home of their own do not each download them.
 */
export async function setup(): Promise<void> {
  for (const { kind, setting } of Object.values(SERVERS)) {
    process.env[setting] = (await findServer(kind, { cacheDir: dirsOf(process.env).toolchain })).path;
  }
}
