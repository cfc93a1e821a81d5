import type { OperationReport, ToldOperation } from '../../api/agent-operations.js';
import { reasonOf } from '../../errors.js';
import type { CommandEnd } from '../../state/operation-states.js';
import { say } from '../say.js';
import { decide, isUnwanted, type Own } from './decide.js';
import { endWithout } from './end.js';
import type { JournalEntry } from './journal.js';
import type { Work } from './run.js';

export type Report = OperationReport['report'];

/** What an operation on this machine needs of what is around it. */
export interface Surroundings {
  /** This run of the agent, as controllers know it. */
  readonly session: string;
  /** Whether one more command may run. */
  room(): boolean;
  /** Sends a report; whether there is anybody to send it to. */
  send(message: OperationReport): boolean;
  /** Writes on disk that it begins and runs it, and calls back with every change; rejects when it cannot be begun. */
  begin(id: number, work: Work, onChange: () => void): Promise<Begun>;
  /** It is over and the environment knows all of it. */
  forgotten(id: number): void;
}

export interface Begun {
  readonly entry: JournalEntry;
  end(why: 'cancelled' | 'shutdown'): void;
}

let lastRef = 0;

/**
 * One operation on this machine. What to do next is decided from what is on disk and what was told; one report is under way
 * at a time, and its answer or the next connection decides anew.
 */
export class Operation {
  #told: ToldOperation['result'] | undefined;
  #work: Work | null = null;
  #begun: Begun | null = null;
  /** An end that needs no disk: nothing was begun. */
  #end: CommandEnd | null = null;
  #underWay: { readonly ref: number; readonly report: Report } | null = null;
  #busy = false;
  /** An answer that does not take a report in is not asked for again on this connection. */
  #stuck = false;

  constructor(
    readonly id: number,
    private readonly entry: JournalEntry | null,
    private readonly around: Surroundings,
  ) {}

  /** A controller says what is written down of it. */
  hear({ ref, result, work }: ToldOperation): void {
    if (work !== undefined) this.#work = work;
    const older = this.#told && result && result.version < this.#told.version;
    if (!older) this.#told = result;
    if (ref !== undefined && ref === this.#underWay?.ref) {
      const { report } = this.#underWay;
      this.#underWay = null;
      this.#stuck = report.kind === 'output' && result !== null && result.chunks <= report.sequence;
    }
    if (isUnwanted(this.#told)) this.#begun?.end('cancelled');
    this.step();
  }

  /** Another connection: nothing is under way any more, and what is written down is told or asked for. */
  connected(): void {
    this.#underWay = null;
    this.#stuck = false;
    this.#told = undefined;
    this.step();
  }

  /** It takes one of the places of commands that run at once. */
  get active(): boolean {
    if (this.#busy || this.#underWay?.report.kind === 'claim') return true;
    if (this.#begun !== null) return this.#begun.entry.end === null;
    return this.entry === null && this.#end === null && this.#told?.claimedBy === this.around.session;
  }

  /** Something of it is to be told, or was begun. */
  get known(): boolean {
    return this.#busy || this.#end !== null || this.#journal !== null;
  }

  /** Does what is to be done next, if anything is. */
  step(): void {
    if (this.#busy || this.#underWay !== null || this.#stuck) return;
    const act = decide(this.#own(), this.#told, this.around.session);
    switch (act) {
      case 'wait':
        return;
      case 'ask':
      case 'claim':
        this.#send({ kind: act });
        return;
      case 'output':
        void this.#sendOutput(this.#told?.chunks ?? 0);
        return;
      case 'end': {
        const end = this.#end ?? this.#journal?.end;
        if (end) this.#send({ kind: 'end', ...end });
        return;
      }
      case 'begin':
        void this.#begin();
        return;
      case 'give-up':
        this.#endAs('unknown', 'The machine’s agent ended after it had taken it; whether it was begun is not known.');
        return;
      case 'call-off':
        this.#endAs('cancelled', 'Cancelled before it was begun.');
        return;
      case 'forget':
        void this.#forget();
    }
  }

  get #journal(): JournalEntry | null {
    return this.#begun?.entry ?? this.entry;
  }

  #own(): Own {
    const journal = this.#journal;
    const end = this.#end ?? journal?.end ?? null;
    return {
      journal: end !== null ? 'ended' : journal === null ? 'none' : 'begun',
      end: end?.state ?? null,
      pieces: journal?.spool.count ?? 0,
      hasWork: this.#work !== null,
      room: this.around.room(),
    };
  }

  #endAs(state: 'failed' | 'cancelled' | 'unknown', message: string): void {
    this.#end = endWithout(state, message);
    this.step();
  }

  async #begin(): Promise<void> {
    if (this.#work === null) return;
    this.#busy = true;
    try {
      this.#begun = await this.around.begin(this.id, this.#work, () => this.step());
      if (isUnwanted(this.#told)) this.#begun.end('cancelled');
    } catch (error) {
      this.#end = endWithout('failed', `It could not be begun: ${reasonOf(error)}`);
    } finally {
      this.#busy = false;
    }
    this.step();
  }

  async #sendOutput(sequence: number): Promise<void> {
    const spool = this.#journal?.spool;
    if (spool === undefined) return;
    this.#busy = true;
    try {
      const { stream, data } = await spool.read(sequence);
      this.#send({ kind: 'output', sequence, stream, data: data.toString('base64') });
    } catch (error) {
      this.#stuck = true;
      say(`operation ${this.id}: its output cannot be read: ${reasonOf(error)}`);
    } finally {
      this.#busy = false;
    }
  }

  #send(report: Report): void {
    lastRef += 1;
    const ref = lastRef;
    if (this.around.send({ type: 'operation', id: this.id, ref, report })) this.#underWay = { ref, report };
  }

  async #forget(): Promise<void> {
    this.#busy = true;
    await this.#journal
      ?.forget()
      .catch((error) => say(`operation ${this.id} is over and stays on the disk: ${reasonOf(error)}`));
    this.around.forgotten(this.id);
  }
}
