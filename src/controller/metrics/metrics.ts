import { ReadConcern, ReadPreference, type TopologyDescriptionChangedEvent } from 'mongodb';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { reasonOf } from '../../errors.js';
import { log } from '../../log/log.js';
import { packageVersion } from '../../package.js';
import { within } from '../../replicaset/connect.js';
import type { PresenceObserver } from '../../state/presence-observer.js';
import type { State } from '../../state/state.js';
import type { ControllerConfig } from '../config.js';
import type { MemberFacts } from '../facts.js';
import type { Feed } from '../feed.js';
import { readMembers } from '../read-facts.js';
import { define, type Figures } from './definitions.js';
import { show, showMembers, showReports } from './gather.js';
import { Known } from './known.js';
import { OnceIn } from './once-in.js';
import { Terms, termSeen } from './term.js';
import { workerMetrics } from './worker.js';

/** Whoever asks more often gets the same text again. */
const TEXT_MS = 1000;
/** The member's word on the set costs it two commands, out of its memory. */
const MEMBERS_MS = 5000;
const MEMBER_PATIENCE_MS = 1000;
const SILENT_MS = 3000;

export interface MetricsParts {
  readonly config: ControllerConfig;
  readonly state: State;
  readonly observer: PresenceObserver;
  readonly feed: Feed;
}

/** Who is connected to this API server. */
export interface Connected {
  readonly watchers: number;
  readonly agentSockets: number;
  readonly agents: number;
}

export interface RequestAnswered {
  readonly method: string;
  /** The route's pattern, never the URL: there are as many of those as there are callers with ideas. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/**
 * What this controller tells Prometheus. Counted as it happens, or taken from what the server holds anyway when somebody asks;
 * no document is read for it. Only the word of this machine's own member on the others is asked for, once in five seconds at most.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #figures: Figures = define(this.#registry);
  readonly #terms = new Terms();
  readonly #known: Known;
  readonly #members = new OnceIn(MEMBERS_MS, () => this.#askMember());
  readonly #text = new OnceIn(TEXT_MS, () => this.#gather());
  #connected: () => Connected = () => ({ watchers: 0, agentSockets: 0, agents: 0 });
  #ownProcess = false;

  constructor(private readonly parts: MetricsParts) {
    const { config, state, feed } = parts;
    const { name: environment, uuid } = config.environment;
    this.#known = new Known(state, feed);
    this.#figures.info.set({ environment, uuid, machine: config.machine, version: packageVersion() }, 1);
    state.client.on('topologyDescriptionChanged', (event: TopologyDescriptionChangedEvent) =>
      this.#terms.see(termSeen(event.newDescription)),
    );
  }

  /** Where it is found out, whenever somebody asks, who is connected. */
  countConnected(connected: () => Connected): void {
    this.#connected = connected;
  }

  answered({ method, route, status, seconds }: RequestAnswered): void {
    this.#figures.requests.observe({ method, route, status }, seconds);
  }

  /** Everything, in Prometheus' text format. */
  text(): Promise<string> {
    return this.#text.get();
  }

  close(): void {
    this.#known.close();
  }

  async #gather(): Promise<string> {
    const figures = this.#figures;
    if (!this.#ownProcess) {
      // What nobody asks for is not measured: the delay of the event loop is, a hundred times a second.
      this.#ownProcess = true;
      collectDefaultMetrics({ register: this.#registry });
    }
    const { config, state, observer } = this.parts;
    const [members, worker] = await Promise.all([
      this.#members.get(),
      config.workerMetrics === undefined ? null : workerMetrics(config.workerMetrics),
    ]);
    showMembers(figures, members);
    showReports(figures, observer.controllers, (machine) => observer.silentMs(machine));
    const { heard, silent } = observer.count(SILENT_MS);
    figures.agentsHeard.set(heard);
    figures.agentsSilent.set(silent);
    show(figures.term, this.#terms.term);
    figures.elections.reset();
    figures.elections.inc(this.#terms.elections);
    figures.primarySeen.set(state.primary() === null ? 0 : 1);
    show(figures.desired, this.#known.desired);
    show(figures.addressVersion, this.#known.addressVersion);
    const { watchers, agentSockets, agents } = this.#connected();
    figures.sockets.set({ kind: 'watch' }, watchers);
    figures.sockets.set({ kind: 'agent' }, agentSockets);
    figures.agentsConnected.set(agents);
    figures.worker.set(worker === null ? 0 : 1);
    return `${await this.#registry.metrics()}${worker ?? ''}`;
  }

  async #askMember(): Promise<readonly MemberFacts[] | null> {
    const { state, config } = this.parts;
    const own = {
      stale: false,
      options: {
        readPreference: new ReadPreference('nearest', [{ machine: config.machine }]),
        readConcern: new ReadConcern('local'),
      },
    };
    try {
      return await within(MEMBER_PATIENCE_MS, `the member of machine ${config.machine}`, readMembers(state, own));
    } catch (error) {
      log().debug(`metrics: ${reasonOf(error)}`);
      return null;
    }
  }
}
