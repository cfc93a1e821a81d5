import { setCurrentDetails } from '@temporalio/workflow';
import type { ChangeStep } from '../src/state/documents.js';
import type { Progress } from '../src/temporal/progress.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A step that is foreseen: what it is and why. */
export interface Foreseen {
  readonly text: string;
  readonly reason: string;
}

/**
 * The story of one change: its steps with times, what it waits for, how it ended. The workflow tells it; the query
 * `progress`, the current details in the Temporal UI and the document in the environment are three views of it.
 */
export class Story {
  readonly #kind: string;
  readonly #summary: string;
  readonly #steps: ChangeStep[] = [];
  #foreseen: readonly Foreseen[] = [];
  #since = 0;
  #until: { readonly at: number; readonly text: string; readonly otherwise: string } | null = null;
  #state: Progress['state'] = 'running';
  #result = '';
  #wayOut = '';
  #records: number;
  readonly #earlier: number;
  #number: number | null = null;

  /** `before`: how many records and steps of it earlier runs of the same change have written. */
  constructor(kind: string, summary: string, before: { records?: number; steps?: number } = {}) {
    this.#records = before.records ?? 0;
    this.#earlier = before.steps ?? 0;
    this.#kind = kind;
    this.#summary = summary;
    this.#show();
  }

  get summary(): string {
    return this.#summary;
  }

  /** The step now under way; the one before it is done. Telling the same step again goes on with it. */
  begin(text: string, reason: string, evidence: readonly string[] = []): void {
    if (this.#current()?.text === text) return;
    this.#finish('done');
    this.#since = Date.now();
    const startedAt = new Date(this.#since).toISOString();
    const seen = evidence.length > 0 ? { evidence: [...evidence] } : {};
    this.#steps.push({ text, state: 'running', reason, startedAt, seconds: null, ...seen });
    this.#show();
  }

  /** A step that is a wait: until when (workflow time), and what happens otherwise. */
  wait(text: string, reason: string, at: number, otherwise: string): void {
    this.begin(text, reason);
    const current = this.#current();
    if (current) Object.assign(current, { state: 'waiting', deadline: new Date(at).toISOString(), otherwise });
    this.#until = { at, text, otherwise };
    this.#show();
  }

  /** What is heard of the step under way; empty for nothing. */
  hear(said: string): void {
    const current = this.#current();
    if (current === undefined || (current.said ?? '') === said) return;
    current.said = said;
    this.#show();
  }

  /** The step under way did not take effect; `why` stays with it. */
  fail(why: string): void {
    const current = this.#current();
    if (current && why !== '') current.outcome = why;
    this.#finish('failed');
    this.#show();
  }

  /** What comes after the step under way, as far as it can be foreseen. */
  foresee(steps: readonly Foreseen[]): void {
    this.#foreseen = steps;
    this.#show();
  }

  end(state: Exclude<Progress['state'], 'running'>, result: string, wayOut = ''): void {
    this.#finish(state === 'done' || state === 'cancelled' ? 'done' : 'failed');
    this.#foreseen = [];
    this.#state = state;
    this.#result = result;
    this.#wayOut = wayOut;
    this.#show();
  }

  progress(): Progress {
    return {
      kind: this.#kind,
      number: this.#number,
      summary: this.#summary,
      state: this.#state,
      steps: this.steps(),
      waitingFor: this.#until && {
        text: this.#until.text,
        untilSecondsLeft: Math.max(0, (this.#until.at - Date.now()) / 1000),
        otherwise: this.#until.otherwise,
      },
      result: this.#result,
      wayOut: this.#wayOut,
    };
  }

  /** The environment has given it a number. */
  numbered(number: number): void {
    this.#number = number;
  }

  /** Counts what is written down of the story, so that a late record never overwrites a newer one. */
  nextRecord(): number {
    this.#records += 1;
    return this.#records;
  }

  /** How many steps earlier runs have told: they stay as they are. */
  get earlier(): number {
    return this.#earlier;
  }

  /** This run ends here, and the next one begins with `next`: what is under way has been done unless it is that same step. */
  pause(next: string): void {
    if (this.#current()?.text !== next) this.#finish('done');
  }

  /** The same for the next run, which takes up the step under way. */
  get ended(): number {
    return this.#earlier + this.#steps.filter(({ state }) => state === 'done' || state === 'failed').length;
  }

  steps(): readonly ChangeStep[] {
    const next = this.#foreseen.map(({ text, reason }) => ({
      text,
      state: 'next' as const,
      reason,
      startedAt: null,
      seconds: null,
    }));
    return [...this.#steps.map((step) => ({ ...step })), ...next];
  }

  /** The checklist that the Temporal UI shows as current details. */
  markdown(): string {
    const lines = [`**${this.#summary}**`, ''];
    for (const step of this.steps()) lines.push(line(step));
    if (this.#until) {
      lines.push('', `Waiting until ${clock(this.#until.at)} UTC. If it does not come: ${this.#until.otherwise}.`);
    }
    if (this.#result !== '') lines.push('', `**${this.#state}**: ${this.#result}`);
    if (this.#wayOut !== '') lines.push('', `What to do: ${this.#wayOut}`);
    return lines.join('\n');
  }

  #current(): Mutable<ChangeStep> | undefined {
    const last = this.#steps.at(-1);
    return last && (last.state === 'running' || last.state === 'waiting') ? last : undefined;
  }

  #finish(state: 'done' | 'failed'): void {
    const current = this.#current();
    this.#until = null;
    if (!current) return;
    current.state = state;
    current.seconds = (Date.now() - this.#since) / 1000;
  }

  #show(): void {
    setCurrentDetails(this.markdown());
  }
}

const MARKS = { done: '✓', running: '●', waiting: '●', next: '○', failed: '✗' } as const;

function line(step: ChangeStep): string {
  const time =
    step.seconds !== null
      ? ` (${step.seconds.toFixed(1)} s)`
      : step.startedAt !== null
        ? ` (since ${clock(Date.parse(step.startedAt))} UTC)`
        : '';
  const active = step.state === 'running' || step.state === 'waiting';
  const why = (step.state === 'failed' && step.outcome) || (active && step.said) || '';
  return `- ${MARKS[step.state]} ${step.text}${time}${why === '' ? '' : `: ${why}`}`;
}

function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}
