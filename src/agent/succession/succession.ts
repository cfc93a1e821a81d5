/**
 * Succession on one controller: watches the primary, and does what `decide` says. Every controller runs one; they agree because
 * the order follows from the config alone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError, reasonOf } from '../../errors.js';
import { order } from '../../membership/succession.js';
import type { MemberId } from '../../membership/types.js';
import type { Identity } from '../../pki/identity.js';
import { adminCommand, directClient, within } from '../../replicaset/connect.js';
import { meaningOf } from '../../replicaset/errors.js';
import { handOver, pickHeir } from '../../replicaset/handover.js';
import { Observer } from '../../replicaset/observe.js';
import { type Hello, lastWritten, type SetConfig, type SetStatus } from '../../replicaset/wire.js';
import { type Action, decide, dueAt, type Event, initial, type State } from './decide.js';
import { closeSockets } from './free.js';
import { confirmsSilence, hostOf, viewOf } from './view.js';
import { Watch } from './watch.js';

export interface SuccessionOptions {
  /** host:port of this machine's own mongod. */
  readonly self: { readonly host: string };
  /** OU=member, or CN=membership. */
  readonly tls: Identity;
  /** How long the primary may be silent; see `Succession.suspectAfter`. */
  readonly suspectAfterMs?: number;
  /** Kills this machine's mongod and starts it again, at once; without it a hanging one is freed only by closing sockets. */
  readonly restartMongod?: () => Promise<void>;
  /** Sentences for the log. */
  readonly onEvent?: (text: string) => void;
}

export interface SuccessionStatus {
  /** Successions in which this member became primary. */
  readonly stoodUp: number;
  /** Times that its mongod was freed from a silent member. */
  readonly freed: number;
  /** Why it is switched off for now; empty when it is not. */
  readonly off: string;
}

export interface Succession {
  stop(): Promise<void>;
  status(): SuccessionStatus;
  /** From now on the primary may be silent for so long. */
  suspectAfter(ms: number): void;
  /**
   * When the own member is primary, hands over in order to the next one that is ready; whether it is not primary afterwards.
   * @param withinMs about how long it may take; two thirds of it to make the others follow the heir first
   */
  handOver(withinMs: number): Promise<boolean>;
}

const SUSPECT_AFTER_MS = 500;
const TICK_MS = 50;
/** The own mongod is looked at this often, and whenever its driver reports a change. */
const LOOK_EVERY_MS = 200;
const ANSWER_MS = 300;
const STAND_UP_MS = 5000;
/** Attempts to reach a silent source again are ended this often, for this time at most. */
const CLOSE_EVERY_MS = 30;
const CLOSE_FOR_MS = 3000;
/** For the restarts of those before this one: never two members at a time. */
const RESTART_TURN_MS = 3000;

export function startSuccession(options: SuccessionOptions): Succession {
  return new Runtime(options);
}

class Runtime implements Succession {
  readonly #options: SuccessionOptions;
  readonly #own;
  readonly #observer: Observer;
  readonly #watches = new Map<MemberId, Watch>();
  readonly #ticks: NodeJS.Timeout;
  #due: NodeJS.Timeout | undefined;
  #state: State = initial(performance.now());
  #config: SetConfig | null = null;
  #looking = false;
  #lookAgain = false;
  #lookedAt = 0;
  #handingOver = false;
  #freed = 0;
  #suspectAfterMs: number;
  #stopped = false;

  constructor(options: SuccessionOptions) {
    this.#options = options;
    this.#suspectAfterMs = options.suspectAfterMs ?? SUSPECT_AFTER_MS;
    // Enough connections that standing up never waits for one to be made.
    this.#own = directClient(options.self.host, options.tls, { minPoolSize: 3 });
    this.#observer = new Observer(options.tls);
    this.#own.on('serverDescriptionChanged', () => void this.#look());
    this.#ticks = setInterval(() => this.#tick(), TICK_MS);
    void this.#look();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#ticks);
    clearTimeout(this.#due);
    const watches = [...this.#watches.values()];
    await Promise.all([...watches.map((watch) => watch.close()), this.#observer.close(), this.#own.close(true)]);
  }

  status(): SuccessionStatus {
    const left = Math.ceil((this.#state.offUntil - performance.now()) / 1000);
    const off = left > 0 ? `two successions found the old primary alive; off for another ${left} s` : '';
    return { stoodUp: this.#state.successions, freed: this.#freed, off };
  }

  suspectAfter(ms: number): void {
    this.#suspectAfterMs = ms;
  }

  async handOver(withinMs: number): Promise<boolean> {
    const { host } = this.#options.self;
    const set = await this.#observer.observe([host]);
    const self = set?.members.find((m) => m.host === host);
    if (set == null || self === undefined || set.primary !== self.id) return true;
    const zones = new Map(this.#config?.members.map((m) => [m._id, m.tags?.zone ?? '']));
    const members = set.members.map((m) => ({ ...m, zone: zones.get(m.id) ?? '' }));
    const heir = pickHeir(set, order({ primary: self.id, members }));
    if (heir === null) {
      if (set.members.length > 1) this.#tell('No other member is ready to take over from this primary.');
      return false;
    }
    this.#handingOver = true;
    const began = performance.now();
    try {
      const { followed } = await handOver({
        observer: this.#observer,
        hosts: [host],
        heir,
        preparationMs: (withinMs * 2) / 3,
      });
      const to = members.find((m) => m.id === heir)?.host;
      const how = followed ? '' : '; not all others followed it yet';
      this.#tell(`The primary was handed over to ${to} in ${Math.round(performance.now() - began)} ms${how}.`);
      return true;
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      this.#tell(`The primary could not be handed over: ${error.message}`);
      return false;
    } finally {
      this.#handingOver = false;
    }
  }

  #tell(text: string): void {
    this.#options.onEvent?.(text);
  }

  #tick(): void {
    this.#feed({ kind: 'tick' });
    if (performance.now() - this.#lookedAt > LOOK_EVERY_MS) void this.#look();
  }

  #feed(event: Event): void {
    if (this.#stopped) return;
    const limits = { suspectAfterMs: this.#suspectAfterMs };
    const { state, actions } = decide(this.#state, event, performance.now(), limits);
    this.#state = state;
    for (const action of actions) this.#do(action);
    clearTimeout(this.#due);
    const due = dueAt(this.#state);
    const wait = due === null ? 0 : due - performance.now();
    if (wait > 0) this.#due = setTimeout(() => this.#feed({ kind: 'tick' }), wait);
  }

  #do(action: Action): void {
    switch (action.kind) {
      case 'tell':
        this.#tell(action.text);
        break;
      case 'watch':
        this.#watch(action.members);
        break;
      case 'look':
        void this.#look();
        break;
      case 'ask-others':
        this.#askOthers(action.about);
        break;
      case 'ask-source':
        void this.#askSource(action.source);
        break;
      case 'ask-before':
        this.#askBefore(action.members);
        break;
      case 'stand-up':
        void this.#standUp();
        break;
      case 'free':
        void this.#free(action.from, action.turn);
        break;
      case 'follow-primary':
        void this.#followPrimary(action.primary);
    }
  }

  /** One look at a time; one that is asked for meanwhile is done afterwards. */
  async #look(): Promise<void> {
    this.#lookAgain = this.#looking;
    if (this.#looking || this.#stopped) return;
    this.#looking = true;
    try {
      do {
        this.#lookAgain = false;
        this.#lookedAt = performance.now();
        const before = this.#state.successions;
        const view = await this.#view();
        // A look from before this member became primary would have it stand up against itself.
        if (this.#state.successions === before) this.#feed({ kind: 'view', view });
      } while (this.#lookAgain && !this.#stopped);
    } finally {
      this.#looking = false;
    }
  }

  async #view(): Promise<State['view']> {
    try {
      const asked = adminCommand(this.#own, { replSetGetStatus: 1 });
      const status = (await within(1000, this.#options.self.host, asked)) as unknown as SetStatus;
      const own = status.members.find((m) => m.self);
      const { version, term } = this.#config ?? {};
      if (own?.configVersion !== version || own?.configTerm !== term) {
        this.#config = (await adminCommand(this.#own, { replSetGetConfig: 1 })).config as SetConfig;
      }
      return this.#config === null ? null : viewOf(status, this.#config);
    } catch {
      // Not started, not a member yet, or hanging: nothing can be decided without it.
      return null;
    }
  }

  #watch(members: readonly MemberId[]): void {
    for (const [id, watch] of this.#watches) {
      if (members.includes(id)) continue;
      this.#watches.delete(id);
      void watch.close();
    }
    for (const of of members) {
      const host = this.#host(of);
      if (host === null || this.#watches.has(of)) continue;
      const hears = {
        answered: (optime: Extract<Event, { kind: 'answered' }>['optime']) =>
          this.#feed({ kind: 'answered', of, optime }),
        refused: () => this.#feed({ kind: 'refused', of }),
      };
      this.#watches.set(of, new Watch(host, this.#options.tls, hears));
    }
  }

  #host(id: MemberId): string | null {
    return this.#state.view === null ? null : hostOf(this.#state.view, id);
  }

  #askOthers(about: MemberId): void {
    const { view } = this.#state;
    const others = view?.members.filter((m) => m.votes > 0 && m.id !== view.self && m.id !== about) ?? [];
    for (const { host } of others) {
      const asked = this.#observer.command(host, { replSetGetStatus: 1 });
      within(ANSWER_MS, host, asked).then(
        (status) => {
          const confirmed = confirmsSilence(status as unknown as SetStatus, about);
          if (confirmed) this.#feed({ kind: 'confirmed', of: about });
        },
        // One that does not answer confirms nothing.
        () => undefined,
      );
    }
  }

  #askBefore(members: readonly MemberId[]): void {
    for (const of of members) {
      const host = this.#host(of);
      if (host === null) continue;
      within(ANSWER_MS, host, this.#observer.command(host, { hello: 1 })).then(
        (hello) => this.#feed({ kind: 'before', of, optime: lastWritten(hello as unknown as Hello) }),
        () => this.#feed({ kind: 'before', of, optime: null }),
      );
    }
  }

  async #askSource(of: MemberId): Promise<void> {
    const host = this.#host(of);
    if (host === null) return;
    const silent = await within(ANSWER_MS, host, this.#observer.command(host, { hello: 1 })).then(
      () => false,
      (error) => error instanceof QuorateError && error.code === 'silent',
    );
    this.#feed({ kind: 'source', of, silent });
  }

  async #standUp(): Promise<void> {
    const { host } = this.#options.self;
    try {
      await within(STAND_UP_MS, host, adminCommand(this.#own, { replSetStepUp: 1 }));
      this.#tell('This member stood up and is primary.');
      this.#feed({ kind: 'stood-up', outcome: 'primary' });
    } catch (error) {
      const refused = meaningOf(error).verdict === 'retry';
      if (!refused) this.#tell(`This member could not stand up: ${reasonOf(error)}`);
      this.#feed({ kind: 'stood-up', outcome: refused ? 'refused' : 'failed' });
    }
  }

  async #free(from: MemberId, turn: number): Promise<void> {
    const host = this.#host(from);
    if (host === null) return;
    try {
      const { pid } = await within(ANSWER_MS, this.#options.self.host, adminCommand(this.#own, { serverStatus: 1 }));
      if (await this.#closeAll(Number(pid), from, host)) {
        this.#freed++;
        this.#tell(`mongod hung on the silent ${host}; its connections there were closed.`);
        this.#feed({ kind: 'closed', from });
        return;
      }
      await sleep(turn * RESTART_TURN_MS);
      const { view } = this.#state;
      const alone = view?.members.every((m) => m.well || m.id === from || m.votes === 0) ?? false;
      if (!alone || view?.syncSource !== from || this.#options.restartMongod === undefined) {
        this.#tell(`mongod hangs on the silent ${host} and could not be freed.`);
        return;
      }
      this.#freed++;
      this.#tell(`mongod hung on the silent ${host}; it is started again.`);
      await this.#options.restartMongod();
    } catch (error) {
      this.#tell(`mongod could not be freed from the silent ${host}: ${reasonOf(error)}`);
    }
  }

  /** mongod tries the same source some more times before it takes another: each attempt is ended, until it does. */
  async #closeAll(pid: number, from: MemberId, host: string): Promise<boolean> {
    if (!(await closeSockets(pid, host))) return false;
    for (const end = performance.now() + CLOSE_FOR_MS; performance.now() < end && !this.#stopped; ) {
      await Promise.all([sleep(CLOSE_EVERY_MS), this.#look()]);
      const source = this.#state.view?.syncSource ?? null;
      if (source !== null && source !== from) break;
      await closeSockets(pid, host);
    }
    return true;
  }

  async #followPrimary(primary: MemberId): Promise<void> {
    const host = this.#host(primary);
    if (host === null || this.#handingOver) return;
    try {
      await adminCommand(this.#own, { replSetSyncFrom: host });
    } catch (error) {
      this.#tell(`mongod could not be made to follow the primary: ${reasonOf(error)}`);
    }
  }
}
