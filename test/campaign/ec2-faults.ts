import { RebootInstancesCommand } from '@aws-sdk/client-ec2';
import type { Instance } from '../../src/cloud/cloud.js';
import type { Link } from '../../src/cloud/local/isolation.js';
import { signal } from '../../src/process.js';
import type { Fault } from '../support/faulty-proxy.js';
import { until } from '../support/home.js';
import type { Ec2Site } from '../support/sites/ec2.js';
import type { CloudState, MachineState, Manner } from './acts.js';
import { type CloudFaults, type MachineFault, peerOf } from './machine-faults.js';

/** For a machine that boots again from its disk. */
const BOOTED_S = 120;
const HEALED: Link = { drops: [], delayMs: 0, lossPercent: 0 };

/** A machine whose processes are frozen stops some while others still start new ones. */
const FREEZES = 3;

/** What a call is answered with; one of three comes through where not all go wrong. */
const ANSWERS: Readonly<Record<CloudState, (nth: number) => Fault | null>> = {
  'cloud-down': () => 'unavailable',
  'cloud-throttling': (nth) => (nth % 3 === 0 ? null : 'throttled'),
  'cloud-late': () => 'late',
  'cloud-forgetful': (nth) => (nth % 3 === 0 ? null : 'lost'),
};

/** By Amazon's console, by the cables of the machines, and by what stands between whoever asks and the endpoint. */
export class Ec2Faults implements CloudFaults {
  constructor(private readonly site: Ec2Site) {}

  machine(state: MachineState, manner: Manner, peers: () => Promise<readonly string[]>): MachineFault {
    const { site } = this;
    const { moto, console } = site.account;
    const start = (id: string) => site.console.startAgain(id);
    const plugBack = (id: string) => this.#plugBack(id);
    const before = new Map<string, number | null>();
    const isAnother = (id: string) => moto.firstProcess(id) !== before.get(id);
    switch (state) {
      case 'frozen':
        return { begin: async (id) => this.#freeze(id), end: async (id) => this.#signal(id, 'SIGCONT') };
      case 'off':
        return { begin: (id) => site.powerOff(id), end: start };
      case 'stopped':
        return { begin: (id) => site.console.stop(id), end: start };
      case 'rebooted':
        return {
          begin: (id) => {
            before.set(id, moto.firstProcess(id));
            return console.send(new RebootInstancesCommand({ InstanceIds: [id] }));
          },
          end: (id) => until(`${id} to boot again`, async () => isAnother(id) && this.#hasAgent(id), BOOTED_S),
        };
      case 'partitioned':
        return {
          begin: async (id) => {
            const address = await this.#addressOf(await peerOf(id, manner, peers));
            await moto.setLink(id, { ...HEALED, drops: [{ address, direction: manner.way }] });
          },
          end: plugBack,
        };
      case 'degraded':
        return { begin: (id) => moto.setLink(id, { ...HEALED, ...manner }), end: plugBack };
      case 'disk-full':
      case 'clock-off':
        throw new Error(`an instance here has neither a disk nor a clock of its own: ${state}`);
    }
  }

  async mend({ id }: Instance): Promise<void> {
    this.#signal(id, 'SIGCONT');
    await this.#plugBack(id);
  }

  answer(state: CloudState | null): void {
    const { proxy } = this.site.account;
    const said = state === null ? () => null : ANSWERS[state];
    proxy.decide = (_, nth) => said(nth);
  }

  /** A machine that is off gets a new cable when it is switched on. */
  async #plugBack(id: string): Promise<void> {
    const { moto } = this.site.account;
    if (moto.firstProcess(id) !== null) await moto.setLink(id, HEALED);
  }

  #hasAgent(id: string): boolean {
    return this.site.pidsOf(id, 'agent').length > 0;
  }

  #freeze(id: string): void {
    for (let time = 0; time < FREEZES; time++) this.#signal(id, 'SIGSTOP');
  }

  #signal(id: string, what: NodeJS.Signals): void {
    for (const pid of this.site.pids(id)) signal(pid, what);
  }

  async #addressOf(peer: Awaited<ReturnType<typeof peerOf>>): Promise<string> {
    if (peer === 'everybody') return '*';
    if (peer === 'host') return this.site.account.moto.gateway;
    return (await this.site.console.describe(peer.instance))?.address ?? '*';
  }
}
