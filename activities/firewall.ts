import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Context } from '@temporalio/activity';
import type { Ingress } from '../src/cloud/cloud.js';
import { judgeOpen, type OpenJudged, type PortsOpened, recordOpened } from '../src/state/exposures.js';
import { askControllers, readMachineIfThere } from './asking.js';
import { beating, beatingRarely } from './beating.js';
import type { CloudSide, Target } from './cloud-side.js';
import type { Network } from './network.js';

/** How often each cloud is asked; one that is not named here charges or throttles what asks. */
const ASK_MS: Readonly<Record<string, number>> = { local: 1000 };
const ASK_ELSEWHERE_MS = 60_000;

export type FirewallActivities = ReturnType<typeof firewallActivities>;

/** What is let in from outside, on the side of the cloud. */
export function firewallActivities(side: CloudSide) {
  return {
    /**
     * Opens what is exposed on a machine, by what its document says now, and closes everything else of it. Null when there
     * is nothing to open it on any more.
     */
    async openPorts({ environment, machine }: Target & { machine: string }): Promise<PortsOpened | null> {
      return await beating(async () => {
        const { firewall } = await side.cloudFor(environment);
        const seen = await askControllers(side, environment, (client) => readMachineIfThere(client, machine));
        const { ingress, instance } = seen ?? {};
        if (!ingress || !instance) return null;
        const { version, rules } = ingress;
        const { address, failures } = await firewall.set({ instance, version, rules });
        return { machine, version, address, error: failures.map((failure) => `${failure}.`).join(' ') };
      });
    },

    /** Returns as soon as anything else is open than `known`, or the same after `forMs`. */
    async followPorts({
      environment,
      known,
      forMs,
    }: Target & { known: readonly Ingress[] | null; forMs: number }): Promise<readonly Ingress[]> {
      return await beatingRarely(async () => {
        const { cancellationSignal: signal } = Context.current();
        const { kind, firewall } = await side.cloudFor(environment);
        const ends = performance.now() + forMs;
        for (;;) {
          const open = byInstance(await firewall.open(environment.uuid));
          if (!isDeepStrictEqual(open, known) || performance.now() >= ends) return open;
          await sleep(ASK_MS[kind] ?? ASK_ELSEWHERE_MS, undefined, { signal });
        }
      });
    },

    /** Closes all that is open of instances that no machine has; `version` is the one that was seen open. */
    async closePorts({ environment, ports }: Target & { ports: readonly Ingress[] }): Promise<void> {
      await beating(async () => {
        const { firewall } = await side.cloudFor(environment);
        for (const { instance, version } of ports) await firewall.set({ instance, version, rules: [] });
      });
    },
  };
}

const byInstance = (open: readonly Ingress[]): Ingress[] =>
  [...open].sort((a, b) => a.instance.localeCompare(b.instance));

export type ExposureActivities = ReturnType<typeof exposureActivities>;

/** What is let in from outside, on the side of the documents. */
export function exposureActivities({ state, fence }: Network) {
  return {
    async recordOpened(opened: PortsOpened): Promise<void> {
      await recordOpened(state, fence, opened);
    },

    /** Writes down which machines' ports are to be put right, and says what is left over. */
    async judgeOpen({ open }: { open: readonly Ingress[] }): Promise<OpenJudged> {
      return await judgeOpen(state, fence, open);
    },
  };
}
