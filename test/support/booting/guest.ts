import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { BareMachine, type Surroundings } from '../bare/machine.js';

/** What a guest's first process is: systemd with cloud-init, or a shell that does as cloud-init would. */
export type FirstProcess = 'systemd' | 'shell';

/** How long a guest has to go off by itself; EC2 takes minutes. */
const GRACE_MS = 60_000;

/** One instance as its hardware has it: a bare machine with a disk, switched on and off as EC2's calls say. */
export class Guest {
  readonly #machine: BareMachine;
  #phase: 'on' | 'off' | 'stopping' | 'rebooting' | 'shutting-down' | 'gone' = 'off';

  /** @param endedItself called when it went off and nobody had said so */
  constructor(
    root: string,
    directory: string,
    private readonly userData: string,
    private readonly surroundings: Surroundings,
    private readonly firstProcess: FirstProcess,
    private readonly endedItself: () => void,
  ) {
    this.#machine = new BareMachine(root, directory);
  }

  /** The state that EC2 shows as long as it is on its way there; null where it is as it was said to be. */
  get transition(): 'stopping' | 'shutting-down' | null {
    return this.#phase === 'stopping' || this.#phase === 'shutting-down' ? this.#phase : null;
  }

  get console(): string {
    return this.#machine.console;
  }

  /** PID of its first process, as the host counts; null while there is none. */
  get pid(): number | null {
    return this.#machine.firstProcess;
  }

  async powerOn(): Promise<void> {
    if (this.#phase !== 'off') return;
    await this.#boot();
  }

  /** It is asked to go off, and after a while its power is cut; at once where it is forced to. Its disk stays. */
  async powerOff({ forced = false } = {}): Promise<void> {
    if (this.#phase === 'off' || this.#phase === 'gone') return;
    this.#phase = 'stopping';
    await this.#goOff(forced);
    this.#settle('stopping', 'off');
  }

  /** It is asked to go off, and boots again from the same disk. */
  async reboot(): Promise<void> {
    if (this.#phase !== 'on') return;
    this.#phase = 'rebooting';
    await this.#goOff(false);
    if (this.#settle('rebooting', 'off')) await this.#boot();
  }

  /** Its power is cut, and its disk is gone. */
  async destroy(): Promise<void> {
    if (this.#phase === 'gone') return;
    this.#phase = 'shutting-down';
    await this.#goOff(true);
    await rm(this.#machine.disk('..'), { recursive: true, force: true });
    this.#phase = 'gone';
  }

  async #boot(): Promise<void> {
    this.#phase = 'on';
    if (this.firstProcess === 'systemd') await this.#machine.boot(this.userData, this.surroundings);
    else await this.#machine.run(this.userData, this.surroundings);
    void this.#machine.whenOff().then(() => {
      if (this.#settle('on', 'off')) this.endedItself();
    });
  }

  async #goOff(forced: boolean): Promise<void> {
    if (!forced) {
      await this.#machine.pressPowerButton();
      await Promise.race([this.#machine.whenOff(), sleep(GRACE_MS, undefined, { ref: false })]);
    }
    await this.#machine.off();
  }

  /** Whether it was still in that phase: another order may have come meanwhile. */
  #settle(from: Guest['transition'] | 'on' | 'rebooting', to: 'off'): boolean {
    if (this.#phase !== from) return false;
    this.#phase = to;
    return true;
  }
}
