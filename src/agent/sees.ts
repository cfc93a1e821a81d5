import { Pinger } from '../client/ping.js';
import type { Machine } from './machine.js';

const EVERY_MS = 2000;
const ANSWER_WITHIN_MS = 1000;

/** Which other controllers' API servers this machine reaches, asked every two seconds, and at once when there are new addresses. */
export class Sees {
  #machines: readonly string[] = [];
  readonly #pinger: Pinger;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly machine: Machine,
    ca: string,
    private readonly onChange: () => void,
  ) {
    this.#pinger = new Pinger(machine.environment.uuid, ca);
    this.#timer = setInterval(() => void this.look(), EVERY_MS);
    void this.look();
  }

  get machines(): readonly string[] {
    return this.#machines;
  }

  trust(ca: string): void {
    this.#pinger.trust(ca);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#pinger.close();
  }

  async look(): Promise<void> {
    const { addresses, jobs } = this.machine.conf;
    // Controllers alone are judged by whom they reach; thousands of others would ask each of them for nothing.
    const servers = jobs.includes('manage-environ') ? addresses.servers : [];
    const others = servers.filter(({ machine }) => machine !== '' && machine !== this.machine.id);
    const answers = await Promise.all(
      others.map(async ({ api, machine }) =>
        (await this.#pinger.ping(api, machine, ANSWER_WITHIN_MS)) ? machine : null,
      ),
    );
    const seen = answers.filter((machine) => machine !== null);
    const changed = seen.join() !== this.#machines.join();
    this.#machines = seen;
    if (changed) this.onChange();
  }
}
