import type { Instance } from '../../src/cloud/cloud.js';
import { until } from '../support/home.js';
import type { LocalSite } from '../support/sites/local.js';
import type { MachineState, Manner } from './acts.js';
import { type CloudFaults, type MachineFault, peerOf } from './machine-faults.js';

/** Room for a mongod and its log, and no more. */
const SMALL_DISK = 1024 ** 3;

/** By the local cloud's control panel. */
export class LocalFaults implements CloudFaults {
  constructor(private readonly site: LocalSite) {}

  machine(state: MachineState, manner: Manner, peers: () => Promise<readonly string[]>): MachineFault {
    const { site } = this;
    const cloud = site.console;
    const reboot = async (id: string) => {
      await cloud.powerOff(id);
      await cloud.startAgain(id);
    };
    switch (state) {
      case 'frozen':
        return { begin: (id) => cloud.pause(id), end: (id) => cloud.resume(id) };
      case 'off':
        return { begin: (id) => cloud.powerOff(id), end: (id) => cloud.startAgain(id) };
      case 'stopped':
        return { begin: (id) => cloud.stop(id), end: (id) => cloud.startAgain(id) };
      case 'rebooted':
        return { begin: reboot, end: async () => undefined };
      case 'partitioned':
        return {
          begin: async (id) => {
            const peer = await peerOf(id, manner, peers);
            const from = peer === 'everybody' ? {} : { from: [peer === 'host' ? 'host' : peer.instance] };
            return await cloud.partition(id, { direction: manner.way, ...from });
          },
          end: (id) => cloud.heal(id),
        };
      case 'degraded':
        return { begin: (id) => cloud.degrade(id, manner), end: (id) => cloud.heal(id) };
      case 'disk-full':
        return {
          begin: async (id) => {
            await cloud.limitDisk(id, SMALL_DISK);
            await reboot(id);
            await until('a mongod on the small disk', async () => site.pidsOf(id, 'mongod').length > 0, 30);
            await cloud.fillDisk(id);
          },
          end: async (id) => {
            await cloud.fillDisk(id, false);
            await cloud.limitDisk(id, null);
          },
        };
      case 'clock-off':
        return {
          begin: async (id) => {
            await cloud.setClock(id, manner.clockOffsetMs);
            await reboot(id);
          },
          end: async (id) => {
            await cloud.setClock(id, 0);
            await reboot(id);
          },
        };
    }
  }

  async mend({ id, state }: Instance): Promise<void> {
    const cloud = this.site.console;
    if (state === 'paused') await cloud.resume(id);
    // Without namespaces nobody has a link or a disk of their own.
    if (this.site.region !== 'namespace') return;
    await cloud.heal(id);
    await cloud.fillDisk(id, false);
  }

  answer(): void {
    throw new Error('nobody asks the local cloud by the network');
  }
}
