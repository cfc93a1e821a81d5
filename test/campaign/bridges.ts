import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { removeDevice } from '../../src/cloud/local/namespace/host.js';

const DEVICES = '/sys/class/net';

/** Removes the bridges of environments under a directory: all of an instance goes with its processes, only they stay. */
export async function removeBridges(directory: string): Promise<void> {
  if (!existsSync(DEVICES)) return;
  for (const device of readdirSync(DEVICES)) {
    const alias = `${DEVICES}/${device}/ifalias`;
    if (existsSync(alias) && readFileSync(alias, 'utf8').startsWith(directory)) await removeDevice(device);
  }
}
