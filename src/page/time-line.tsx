import type { Change } from '../api/changes.js';
import { duration } from '../api/duration.js';
import { isWeb, Steps } from './changes.js';
import { type Entry, failuresOf } from './history.js';
import { type Mark, Marked } from './marks.js';
import { clock } from './words.js';

/** What has happened, the latest first. */
export function TimeLine({ entries, now }: { entries: readonly Entry[]; now: number }) {
  if (entries.length === 0) return <p class="muted">Nothing yet.</p>;
  return (
    <ol class="time-line">
      {entries.map((entry) =>
        entry.kind === 'change' ? (
          <Ended key={entry.change.runId} change={entry.change} now={now} />
        ) : (
          <li key={`${entry.sighting.at}-${entry.sighting.text}`}>
            <Marked mark={entry.sighting.bad ? 'lost' : 'seen'} />
            <p>
              <time>{clock(entry.at, now)}</time> {entry.sighting.text}.
            </p>
          </li>
        ),
      )}
    </ol>
  );
}

function Ended({ change, now }: { change: Change; now: number }) {
  const { kind, state, startedAt, endedAt, by, summary, result, steps, url } = change;
  const took = endedAt === null ? '' : duration(Math.max(0, (Date.parse(endedAt) - Date.parse(startedAt)) / 1000));
  return (
    <li>
      <Marked mark={state as Mark} />
      <div>
        <p>
          <time dateTime={startedAt}>{clock(Date.parse(startedAt), now)}</time> <strong>{kind}</strong>{' '}
          {state === 'done' ? '' : `${state} `}
          {took === '' ? '' : `in ${took} `}
          <span class="muted">by {by}</span>
        </p>
        <p>{result || summary}</p>
        {failuresOf(change).map((failure) => (
          <p key={failure} class="bad">
            {failure}
          </p>
        ))}
        <details>
          <summary>
            {steps.length} {steps.length === 1 ? 'step' : 'steps'}
          </summary>
          <Steps steps={steps} now={now} />
          {isWeb(url) && (
            <a href={url} target="_blank" rel="noopener noreferrer">
              In the Temporal UI
            </a>
          )}
        </details>
      </div>
    </li>
  );
}
