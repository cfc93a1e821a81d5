import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { QuorateError } from '../../../errors.js';
import { packageRoot } from '../../../package.js';
import type { Isolation } from '../isolation.js';
import { poll } from '../power.js';
import { clockOf, libfaketime } from './clock.js';
import { checkDelay, setDelay } from './delay.js';
import { setDiskFull } from './disk.js';
import { type Drop, filterFor } from './filter.js';
import { bridgeAt, hasDevice, isInstalled, missing, removeDevice, run, systemPath } from './host.js';
import { bridgeOf, delayBridgeOf, hardwareAddressOf, linkOf } from './names.js';
import type { Subnet } from './subnet.js';

const STARTER = join(packageRoot(), 'bin', 'quorate-namespace');
const NEEDED = ['ip', 'tc', 'unshare', 'nsenter', 'setpriv', 'setsid', 'chroot', 'mount'] as const;
/** For an instance's cable to be plugged in; a disk may have to be copied before. */
const SETTLED_MS = 60_000;

/**
 * Instances with namespaces of their own. The leader (bin/quorate-namespace) makes them and lives in them, so that the kernel
 * takes all of it down with the last process, mounts and network included; only the environment's bridge is the host's.
 */
export function namespaceIsolation(subnet: Subnet): Isolation {
  return {
    kind: 'namespace',
    hostAddress: subnet.gateway,

    async prepare(environment, directory) {
      const bridge = bridgeOf(environment);
      if (!hasDevice(bridge)) {
        try {
          await run('ip', 'link', 'add', 'name', bridge, 'address', hardwareAddressOf(environment), 'type', 'bridge');
        } catch (error) {
          // Another command may have been quicker.
          if (!hasDevice(bridge)) throw error;
        }
      }
      // Whoever finds it left over sees whose it is.
      await run('ip', 'link', 'set', 'dev', bridge, 'alias', directory.slice(-255), 'up');
      await run('ip', 'address', 'replace', `${subnet.gateway}/${subnet.prefix}`, 'dev', bridge);
    },

    async accept({ clockOffsetMs, diskBytes, delayMs, lossPercent }) {
      if (delayMs > 0 || lossPercent > 0) checkDelay();
      if (clockOffsetMs !== 0) libfaketime();
      if (diskBytes !== null && !isInstalled('mkfs.ext4')) throw missing('mkfs.ext4');
    },

    async launch({ instance, environment, directory, root, address, command, env, conditions, drops }) {
      const told: Record<string, string> = {
        DIRECTORY: directory,
        HIDE: root,
        BUCKET: join(root, environment, 'bucket'),
        BRIDGE: bridgeOf(environment),
        LINK: linkOf(instance),
        HARDWARE_ADDRESS: hardwareAddressOf(instance),
        ADDRESS: `${address}/${subnet.prefix}`,
        GATEWAY: subnet.gateway,
        DROP_IN: filterFor(drops, 'in') ?? '',
        DROP_OUT: filterFor(drops, 'out') ?? '',
        DISK_BYTES: String(conditions.diskBytes ?? ''),
        DISK_FULL: conditions.diskFull ? '1' : '',
        CLOCK: clockOf(conditions.clockOffsetMs),
        LIBFAKETIME: conditions.clockOffsetMs === 0 ? '' : libfaketime(),
      };
      const variables = Object.entries(told).map(([name, value]) => [`QUORATE_NS_${name}`, value]);
      return {
        command: ['/bin/sh', STARTER, ...command],
        env: { ...env, PATH: systemPath(), ...Object.fromEntries(variables) },
      };
    },

    async settled(instance, leaderLives) {
      let lives = true;
      const plugged = await poll(SETTLED_MS, async () => {
        if ((await bridgeAt(linkOf(instance))) !== null) return true;
        lives = await leaderLives();
        return !lives;
      });
      if (!plugged) throw new QuorateError('not-settled', `instance ${instance} did not get its network in time`);
      return lives;
    },

    async setLink({ instance, environment, directory, leader }, link) {
      const device = linkOf(instance);
      if (!(await poll(SETTLED_MS, async () => (await bridgeAt(device)) !== null))) {
        throw new QuorateError('no-link', `instance ${instance} has no network to change`, {
          todo: 'it is just starting or ending: look at `quorate cloud list` and try again',
        });
      }
      await setDrops(device, link.drops);
      await setDelay({ instance, bridge: bridgeOf(environment), directory, leader }, link);
    },

    setDiskFull: ({ directory, leader }, full) => setDiskFull(directory, leader, full),

    async clear(instance) {
      await removeDevice(linkOf(instance));
      await removeDevice(delayBridgeOf(instance));
    },

    async remove(environment) {
      await removeDevice(bridgeOf(environment));
    },
  };
}

/** What leaves the instance comes in at the host's end of its cable, and the other way round. */
async function setDrops(device: string, drops: readonly Drop[]): Promise<void> {
  for (const [hook, way] of [
    ['ingress', 'out'],
    ['egress', 'in'],
  ] as const) {
    const bytecode = filterFor(drops, way);
    const at = ['dev', device, hook];
    if (bytecode !== null) {
      const filter = ['prio', '1', 'handle', '1', 'bpf', 'direct-action', 'bytecode', bytecode];
      await run('tc', 'filter', 'replace', ...at, 'protocol', 'all', ...filter);
    } else if ((await run('tc', 'filter', 'show', ...at)).trim() !== '') {
      await run('tc', 'filter', 'delete', ...at);
    }
  }
}

/** Refuses, in words, where this system cannot have instances with namespaces in this directory. */
export async function checkNamespaces(directory: string): Promise<void> {
  const reason =
    process.platform !== 'linux'
      ? `only Linux has namespaces (this is ${process.platform})`
      : process.getuid?.() !== 0
        ? 'only root can make namespaces'
        : null;
  if (reason !== null) {
    throw new QuorateError('no-namespaces', `isolation by namespaces is not to be had here: ${reason}`, {
      todo: 'run as root on Linux, or use isolation by processes: quorate bootstrap local NAME',
      exit: 2,
    });
  }
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const command of NEEDED) if (!isInstalled(command)) throw missing(command);
  try {
    await run('/bin/sh', STARTER, '--probe', directory);
  } catch (error) {
    const said = (error as Error).message;
    throw new QuorateError('no-namespaces', `isolation by namespaces is not to be had here: ${said}`, {
      todo: 'the kernel must have network, mount and PID namespaces, veth, bridges, overlay and tc bpf filters',
      exit: 2,
      cause: error,
    });
  }
}
