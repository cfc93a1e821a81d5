import { until } from '../support/home.js';
import type { MachineState, Manner } from './acts.js';
import type { Ground } from './ground.js';

/** Room for a mongod and its log, and no more. */
const SMALL_DISK = 1024 ** 3;

/** What is done to an instance, and what takes it back. */
export interface MachineFault {
  readonly begin: (id: string) => Promise<unknown>;
  readonly end: (id: string) => Promise<unknown>;
}

export function machineFault(ground: Ground, state: MachineState, manner: Manner): MachineFault {
  const { cloud } = ground;
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
    case 'partitioned':
      return {
        begin: async (id) => cloud.partition(id, { direction: manner.way, ...(await peersOf(ground, id, manner)) }),
        end: (id) => cloud.heal(id),
      };
    case 'degraded':
      return { begin: (id) => cloud.degrade(id, manner), end: (id) => cloud.heal(id) };
    case 'disk-full':
      return {
        begin: async (id) => {
          await cloud.limitDisk(id, SMALL_DISK);
          await reboot(id);
          await until('a mongod on the small disk', async () => ground.pidsOf(id, 'mongod').length > 0, 30);
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

/** From whom it is cut off; another instance is the next one of the environment. */
async function peersOf(ground: Ground, id: string, { from }: Manner): Promise<{ from?: string[] }> {
  if (from === 'everybody') return {};
  if (from === 'host') return { from: ['host'] };
  const ids = (await ground.instances()).map((instance) => instance.id);
  const peer = ids[(ids.indexOf(id) + 1) % ids.length];
  return peer === undefined || peer === id ? {} : { from: [peer] };
}

/** Whatever a link or a disk may still have, where instances have their own. */
export async function linksHealed(ground: Ground, id: string): Promise<void> {
  if (ground.region !== 'namespace') return;
  await ground.cloud.heal(id);
  await ground.cloud.fillDisk(id, false);
}
