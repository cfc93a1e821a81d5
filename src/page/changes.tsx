import type { Change } from '../api/changes.js';
import { duration } from '../api/duration.js';
import type { ChangeStep } from '../state/documents.js';
import { Marked } from './marks.js';
import { clock, elapsed } from './words.js';

/** A change that runs, with its steps. `now` is by the environment's clock. */
export function Running({ change, now }: { change: Change; now: number }) {
  const { id, summary, startedAt, url, steps } = change;
  return (
    <section class="card" aria-labelledby={`change-${id}`}>
      <h2 id={`change-${id}`}>
        Running: {change.kind} <span class="muted">{elapsed(now - Date.parse(startedAt))}</span>
      </h2>
      <p>{summary}</p>
      <Steps steps={steps} now={now} />
      <p class="muted below">
        {isWeb(url) ? (
          <a href={url} target="_blank" rel="noopener noreferrer">
            In the Temporal UI
          </a>
        ) : (
          <>
            Workflow <code>{change.workflowId}</code>
          </>
        )}
        {' or in a terminal: '}
        <code>quorate watch {id}</code>
      </p>
    </section>
  );
}

export function Steps({ steps, now }: { steps: readonly ChangeStep[]; now: number }) {
  if (steps.length === 0) return <p class="muted">Nothing of it has been written down yet.</p>;
  return (
    <ol class="steps">
      {steps.map((step, index) => (
        // Steps are only ever added at the end, and the same words may come again.
        <li key={index} class={step.state}>
          <Marked mark={step.state} />
          <div>
            <span class="text">{step.text}</span>
            {notes(step, now).map((note) => (
              <small key={note}>{note}</small>
            ))}
          </div>
          <span class="time">{timeOf(step, now)}</span>
        </li>
      ))}
    </ol>
  );
}

/** Why, what it was judged from, until when is waited, and what came of it. */
function notes(step: ChangeStep, now: number): string[] {
  const going = step.state === 'running' || step.state === 'waiting';
  return [
    step.reason,
    ...(step.state === 'next' ? [] : (step.evidence ?? [])),
    step.deadline && going
      ? `until ${clock(Date.parse(step.deadline), now)} at most, then: ${step.otherwise ?? ''}`
      : '',
    step.outcome ?? '',
  ].filter((note, index, all) => note !== '' && all.indexOf(note) === index);
}

function timeOf({ state, seconds, startedAt }: ChangeStep, now: number): string {
  if (seconds !== null) return duration(seconds);
  return state === 'next' || startedAt === null ? '' : elapsed(now - Date.parse(startedAt));
}

export const isWeb = (url: string): boolean => /^https?:\/\//.test(url);
