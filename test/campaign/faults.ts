import { reasonOf } from '../../src/errors.js';
import { kill } from '../support/kill.js';
import { COMMANDS } from '../support/programs.js';
import { type Act, stateWords } from './acts.js';
import type { Ground } from './ground.js';
import { type Outage, outageOf } from './losses.js';
import { type CloudFaults, faultsAt } from './machine-faults.js';
import { handMadeReconfig } from './reconfig.js';
import type { Story } from './story.js';

/** A fault under way and how it is taken back. */
interface Open {
  readonly what: string;
  readonly takeBack: () => Promise<void>;
}

/** Does the acts of a schedule that break things, and takes them back. */
export class Faults {
  /** What was done to machines so that they were out of reach. */
  readonly outages: Outage[] = [];
  readonly #ground: Ground;
  readonly #story: Story;
  readonly #cloud: CloudFaults;
  readonly #open = new Map<number, Open>();

  constructor(ground: Ground, story: Story) {
    this.#ground = ground;
    this.#story = story;
    this.#cloud = faultsAt(ground);
  }

  /** @returns what was done, in words; null when it was passed over */
  async do(act: Exclude<Act, { kind: 'command' }>): Promise<string | null> {
    switch (act.kind) {
      case 'kill':
        return this.#kill(act);
      case 'begin':
        return this.#begin(act);
      case 'begin-engine':
        return this.#beginEngine(act);
      case 'begin-cloud':
        return this.#beginCloud(act);
      case 'end':
        return this.#end(act.fault);
      case 'kill-engine-worker':
        return this.#killEngineWorker();
      case 'terminate':
        return this.#terminate(act);
      case 'reconfig':
        return handMadeReconfig(this.#ground, act, this.#open.size === 0);
    }
  }

  /** Takes back whatever is under way, and sees that every instance runs that is not ended for good, and the engine. */
  async heal(): Promise<void> {
    for (const fault of [...this.#open.keys()]) await this.#end(fault);
    const { site } = this.#ground;
    for (const instance of await this.#ground.instances()) {
      const { id, state, tags } = instance;
      await this.#try(`heal machine ${tags.machine}`, () => this.#cloud.mend(instance));
      if (state === 'stopped') await this.#try(`start machine ${tags.machine}`, () => site.console.startAgain(id));
    }
    await site.startEngine();
  }

  async #kill({ service, whom, reach }: Act & { kind: 'kill' }): Promise<string | null> {
    const instances = await this.#ground.reached(whom, reach);
    const killed = instances.flatMap(({ id, tags }) =>
      this.#ground.site.pidsOf(id, service).map((pid) => {
        kill(pid, 'SIGKILL');
        if (service === 'mongod' || service === 'agent') {
          const parts = [service === 'mongod' ? 'member' : 'agent'] as const;
          this.outages.push({ machine: tags.machine, kind: 'unheard', parts, from: Date.now(), to: Date.now() });
        }
        return tags.machine;
      }),
    );
    return killed.length > 0 ? `killed ${service} of machine ${killed.join(', ')}` : null;
  }

  async #begin({ fault, state, whom, reach, manner }: Act & { kind: 'begin' }): Promise<string | null> {
    const instances = await this.#ground.reached(whom, reach);
    const machineOf = (id: string) => instances.find((each) => each.id === id)?.tags.machine ?? id;
    const peers = async () => (await this.#ground.instances()).map(({ id }) => id);
    const { begin, end } = this.#cloud.machine(state, manner, peers);
    const taken = outageOf(state, manner);
    const outages = taken === null ? [] : instances.map(({ tags }) => away(tags.machine, taken));
    this.outages.push(...outages);
    const began = await Promise.all(
      instances.map(async ({ id, tags }) =>
        (await this.#try(`${state} machine ${tags.machine}`, () => begin(id))) ? [id] : [],
      ),
    );
    const hit = began.flat();
    const what = `${stateWords(state, manner)}: machine ${hit.map(machineOf).join(', ')}`;
    const takeBack = async () => {
      await Promise.all(hit.map((id) => this.#try(`end ${state} of machine ${machineOf(id)}`, () => end(id))));
      for (const outage of outages) outage.to = Date.now();
    };
    this.#open.set(fault, { what, takeBack });
    return hit.length > 0 ? `#${fault} ${what}` : null;
  }

  async #beginEngine({ fault, state }: Act & { kind: 'begin-engine' }): Promise<string | null> {
    const { site } = this.#ground;
    const pid = await site.temporalPid();
    if (pid === null) return null;
    kill(pid, state === 'engine-down' ? 'SIGKILL' : 'SIGSTOP');
    const takeBack = async () => {
      if (state === 'engine-frozen') kill(pid, 'SIGCONT');
      else await site.startEngine();
    };
    this.#open.set(fault, { what: state, takeBack });
    return `#${fault} ${state}`;
  }

  #beginCloud({ fault, state }: Act & { kind: 'begin-cloud' }): string {
    this.#cloud.answer(state);
    this.#open.set(fault, { what: state, takeBack: async () => this.#cloud.answer(null) });
    return `#${fault} ${state}`;
  }

  async #end(fault: number): Promise<string | null> {
    const open = this.#open.get(fault);
    if (!open) return null;
    this.#open.delete(fault);
    await open.takeBack();
    return `#${fault} ended: ${open.what}`;
  }

  async #killEngineWorker(): Promise<string | null> {
    const workers = this.#ground.site.home.processes().filter(({ command }) => COMMANDS.engineWorker.test(command));
    for (const { pid } of workers) kill(pid, 'SIGKILL');
    return workers.length > 0 ? "killed the engine's worker" : null;
  }

  /**
   * Ends an instance for good, if nothing that was promised can be lost by it: the promise is for one machine of three or
   * more that are well. One that has no vote holds nothing that others do not.
   */
  async #terminate({ whom }: Act & { kind: 'terminate' }): Promise<string | null> {
    const [instance] = await this.#ground.machines(whom);
    const status = await this.#ground.status();
    if (!instance || status === null || status.stale || this.#open.size > 0) return null;
    const { desired, voters, healthyVoters } = status.ha;
    const controller = status.controllers.find(({ machine }) => machine === instance.tags.machine);
    const votes = controller?.member?.vote ?? false;
    const known = controller !== undefined && controller.life === 'alive';
    const well = desired >= 3 && voters >= 3 && healthyVoters === voters;
    if (!known || (votes && !well)) return null;
    this.outages.push(away(instance.tags.machine, { kind: 'terminated', parts: ['agent', 'member'] }));
    await this.#ground.site.console.terminate(instance.id);
    return `terminated machine ${instance.tags.machine}${votes ? '' : ' (no voter)'}`;
  }

  /** A deed that the product may have made impossible meanwhile: then that is told. */
  async #try(what: string, work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.#story.tell('faults', `could not ${what}: ${reasonOf(error).split('\n')[0]}`);
      return false;
    }
  }
}

/** An outage that begins now. */
const away = (machine: string, taken: Pick<Outage, 'kind' | 'parts'>): Outage => ({
  ...{ machine, ...taken },
  from: Date.now(),
  to: null,
});
