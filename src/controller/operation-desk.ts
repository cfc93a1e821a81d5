import { Buffer } from 'node:buffer';
import type { OperationReport, ToldOperation, ToldOperations } from '../api/agent-operations.js';
import { reasonOf } from '../errors.js';
import type { MachineDocument } from '../state/documents.js';
import type { StateEvent } from '../state/follow.js';
import type { ResultDocument } from '../state/operation-documents.js';
import { type Report, settle, takeReport } from '../state/operation-reports.js';
import { type Absence, isOpen, judge } from '../state/operation-states.js';
import type { PresenceObserver } from '../state/presence-observer.js';
import { persist } from '../state/retry.js';
import { databaseTime, type State } from '../state/state.js';
import type { Feed } from './feed.js';

/** One agent that is connected here. */
export interface AgentSide {
  readonly machine: string;
  /** One run of the agent. */
  readonly session: string;
  tell(message: ToldOperations | ToldOperation): void;
  /** Nothing could be written for a while: it is sent to another controller. */
  fail(reason: string): void;
}

export interface Seat {
  /** Reports are taken one after the other; each is answered. */
  hear(report: OperationReport): void;
  leave(): void;
}

const JUDGE_MS = 1000;
/** Results that are settled in one transaction. */
const SETTLED_AT_ONCE = 500;
/** An agent that is only late is not given up. */
const SILENT_MS = 5000;
const COMMANDS = 100;

/**
 * Hands operations to the agents that are connected to this controller, takes what they report, and settles what nobody
 * reports. Everything is decided from documents in transactions, so every controller does this at once. What is open is
 * known from the change feed: with nothing to do the database is asked nothing, however many agents there are.
 */
export class OperationDesk {
  readonly #open = new Map<string, ResultDocument>();
  readonly #seats = new Map<string, Set<AgentSide>>();
  readonly #gone = new Set<string>();
  readonly #commands = new Map<number, Promise<readonly string[] | null>>();
  readonly #leave: () => void;
  #loaded: Promise<void>;
  #judging: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(
    private readonly state: State,
    private readonly feed: Feed,
    private readonly observer: PresenceObserver,
  ) {
    this.#leave = feed.subscribe({
      onEvent: (event) => this.#onEvent(event),
      onGap: () => {
        this.#loaded = this.#load();
      },
    });
    this.#loaded = this.#load();
  }

  /** An agent has said hello: it is told what is open on its machine, and all that changes. */
  attach(agent: AgentSide): Seat {
    let left = false;
    let hearing = this.#loaded.then(() => (left ? undefined : this.#seat(agent)));
    return {
      hear: (report) => {
        hearing = hearing.then(() => (left ? undefined : this.#take(agent, report)));
      },
      leave: () => {
        left = true;
        const seats = this.#seats.get(agent.machine);
        seats?.delete(agent);
        if (seats?.size === 0) this.#seats.delete(agent.machine);
      },
    };
  }

  close(): void {
    this.#closed = true;
    this.#leave();
    if (this.#judging !== null) clearInterval(this.#judging);
  }

  async #seat(agent: AgentSide): Promise<void> {
    // From here on it is told what changes.
    this.#seats.set(agent.machine, (this.#seats.get(agent.machine) ?? new Set()).add(agent));
    const mine = [...this.#open.values()].filter(({ machine }) => machine === agent.machine);
    agent.tell({ type: 'operations', open: mine.map(({ operation }) => operation) });
    for (const result of mine) await this.#tell([agent], result);
  }

  async #take(agent: AgentSide, { id, ref, report }: OperationReport): Promise<void> {
    const { machine, session } = agent;
    const said: Report = report.kind === 'output' ? { ...report, data: Buffer.from(report.data, 'base64') } : report;
    try {
      const result = await takeReport(this.state, { operation: id, machine, session, report: said });
      agent.tell({ type: 'operation', id, ref, result: result === null ? null : told(result) });
    } catch (error) {
      agent.fail(reasonOf(error));
    }
  }

  async #tell(agents: Iterable<AgentSide>, result: ResultDocument): Promise<void> {
    const { operation: id, state, timeoutMs, outputLimit } = result;
    const message = { type: 'operation', id, result: told(result) } as const;
    const command = state === 'pending' ? await this.#commandOf(id) : null;
    for (const agent of agents) {
      agent.tell(command === null ? message : { ...message, work: { command: [...command], timeoutMs, outputLimit } });
    }
  }

  /** Read once for all the machines of an operation. */
  #commandOf(id: number): Promise<readonly string[] | null> {
    const known = this.#commands.get(id);
    if (known !== undefined) return known;
    if (this.#commands.size >= COMMANDS) this.#commands.clear();
    const reading = persist(this.state, () => this.state.operations.findOne({ _id: id })).then(
      (operation) => operation?.command ?? null,
      (error) => {
        this.#commands.delete(id);
        console.error(`operation ${id} could not be read: ${reasonOf(error)}`);
        return null;
      },
    );
    this.#commands.set(id, reading);
    return reading;
  }

  #onEvent({ kind, id, document }: StateEvent): void {
    if (kind === 'machines') this.#look(id, document as MachineDocument | null);
    if (kind === 'operationResults') {
      if (document === null) this.#open.delete(id);
      else this.#learn(document as unknown as ResultDocument, true);
    }
  }

  #learn(result: ResultDocument, news: boolean): void {
    if (result.version <= (this.#open.get(result._id)?.version ?? 0)) return;
    if (isOpen(result)) this.#open.set(result._id, result);
    else this.#open.delete(result._id);
    if (news) void this.#tell([...(this.#seats.get(result.machine) ?? [])], result);
    if (this.#open.size > 0 && !this.#closed) this.#judging ??= setInterval(() => void this.#judge(), JUDGE_MS);
  }

  #look(id: string, machine: Pick<MachineDocument, 'life' | 'instance'> | null): void {
    // Neither death nor a terminated instance is ever taken back.
    if (machine === null || machine.life === 'dead' || machine.instance?.state === 'terminated') this.#gone.add(id);
  }

  /** What is open already, when this controller begins or has missed events. */
  async #load(): Promise<void> {
    const { state } = this;
    const before = [...this.#open.keys()];
    while (!this.#closed) {
      try {
        await this.feed.ready;
        const open = await state.operationResults.find({ state: { $in: ['pending', 'running'] } }).toArray();
        const ids = [...new Set(open.map(({ machine }) => machine))];
        const machines = ids.length === 0 ? [] : await state.machines.find({ _id: { $in: ids } }).toArray();
        for (const id of ids) this.#look(id, machines.find(({ _id }) => _id === id) ?? null);
        const there = new Set(open.map(({ _id }) => _id));
        for (const id of before) if (!there.has(id)) this.#open.delete(id);
        for (const result of open) this.#learn(result, false);
        return;
      } catch (error) {
        console.error(`operations: ${reasonOf(error)}`);
        await new Promise((resolve) => setTimeout(resolve, JUDGE_MS));
      }
    }
  }

  /** Looks once a second as long as something is open. */
  async #judge(): Promise<void> {
    if (this.#open.size === 0) {
      if (this.#judging !== null) clearInterval(this.#judging);
      this.#judging = null;
      return;
    }
    if (this.state.primary() === null) return;
    try {
      const now = await databaseTime(this.state);
      const due = [...this.#open.values()].filter(
        (result) => judge(result, this.#absence(result.machine), now) !== null,
      );
      const ids = due.slice(0, SETTLED_AT_ONCE).map(({ _id }) => _id);
      if (ids.length > 0) await settle(this.state, ids, (machine) => this.#absence(machine), now);
    } catch (error) {
      // The next look finds the same again.
      console.error(`operations are not settled yet: ${reasonOf(error)}`);
    }
  }

  #absence(machine: string): Absence {
    return { gone: this.#gone.has(machine), silent: this.observer.missedMs(machine) > SILENT_MS };
  }
}

function told({ version, state, claimedBy, chunks, cancelling }: ResultDocument): NonNullable<ToldOperation['result']> {
  return { version, state, claimedBy, chunks, cancelling };
}
