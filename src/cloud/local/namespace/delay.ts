import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { QuorateError } from '../../../errors.js';
import { packageRoot } from '../../../package.js';
import type { Link, Running } from '../isolation.js';
import { poll } from '../power.js';
import { MARKER, startGroup } from '../processes.js';
import { bridgeAt, hasDevice, isInstalled, missing, removeDevice, run, systemPath } from './host.js';
import { delayBridgeOf, delayEndsOf, linkOf } from './names.js';

/** For the forwarder to make its devices. */
const READY_MS = 10_000;

export function checkDelay(): void {
  if (!isInstalled('perl')) throw missing('perl');
}

/**
 * A slow or lossy cable: the instance's end is unplugged from the environment's bridge and plugged into one of its own, and a
 * forwarder (bin/quorate-delay) carries frames between the two. Connections live on: their packets come late. Without delay
 * and loss the cable is plugged back.
 */
export async function setDelay(
  { instance, bridge, directory, leader }: Omit<Running, 'environment'> & { readonly bridge: string },
  { delayMs, lossPercent }: Pick<Link, 'delayMs' | 'lossPercent'>,
): Promise<void> {
  const [near, far] = delayEndsOf(instance);
  const own = delayBridgeOf(instance);
  const wanted = delayMs === 0 && lossPercent === 0 ? '' : `${delayMs} ms, ${lossPercent} %`;
  if ((await current(instance, bridge)) === wanted) return;
  await run('ip', 'link', 'set', 'dev', linkOf(instance), 'master', bridge);
  // The forwarder ends with its devices.
  for (const device of [near, far, own]) await removeDevice(device);
  if (wanted === '') return;

  const forwarder = join(packageRoot(), 'bin', 'quorate-delay');
  await startGroup(['perl', forwarder, String(delayMs), String(lossPercent), String(leader), near, far], {
    directory,
    log: join(directory, 'console.log'),
    env: { PATH: systemPath(), [MARKER]: instance },
  });
  if (!(await poll(READY_MS, async () => hasDevice(near) && hasDevice(far)))) {
    throw new QuorateError('no-forwarder', `what shall slow the link of instance ${instance} did not start`, {
      todo: `see what it said with \`quorate cloud log ${instance}\``,
    });
  }
  await run('ip', 'link', 'add', 'name', own, 'type', 'bridge');
  await run('ip', 'link', 'set', 'dev', own, 'up');
  await run('ip', 'link', 'set', 'dev', near, 'txqueuelen', '10000', 'master', own, 'up');
  await run('ip', 'link', 'set', 'dev', far, 'txqueuelen', '10000', 'master', bridge, 'up');
  await run('ip', 'link', 'set', 'dev', linkOf(instance), 'master', own);
  // Last, so that what was interrupted is begun anew.
  await run('ip', 'link', 'set', 'dev', own, 'alias', wanted);
}

/** What is wrong with the cable: empty for nothing, null when that cannot be said. */
async function current(instance: string, bridge: string): Promise<string | null> {
  const own = delayBridgeOf(instance);
  const at = await bridgeAt(linkOf(instance));
  if (at === bridge && !hasDevice(own)) return '';
  const forwarded = at === own && delayEndsOf(instance).every(hasDevice);
  return forwarded ? (await readFile(`/sys/class/net/${own}/ifalias`, 'utf8')).trim() : null;
}
