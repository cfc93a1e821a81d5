import type { UserData } from '../boot/user-data.js';
import { Bootstrap } from './bootstrap.js';
import type { Machine } from './machine.js';
import { Services } from './services.js';

/** The machine agent: keeps the services of the machine's jobs, and its connection to the environment. */
export class MachineAgent {
  readonly services: Services;
  #bootstrap: Bootstrap | null = null;

  constructor(
    private readonly machine: Machine,
    private readonly userData: UserData,
  ) {
    this.services = new Services({
      machine,
      fetchKeys: async () => {
        throw new Error('not yet');
      },
      onChange: () => {},
    });
  }

  /** Services first: after a power cut nobody else is up. */
  async start(): Promise<void> {
    const { bootstrapping, version } = this.machine.conf;
    if (version > 0 || bootstrapping) void this.services.follow('remembered');
    if (bootstrapping) {
      this.#bootstrap = new Bootstrap(this.machine, this.userData, this.services, () => {
        void this.services.follow('remembered');
      });
      await this.#bootstrap.listen();
    }
  }

  async stop(): Promise<void> {
    await this.#bootstrap?.close();
    await this.services.stop();
  }
}
