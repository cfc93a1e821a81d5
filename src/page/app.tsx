import { useEffect, useReducer, useState } from 'preact/hooks';
import type { Status } from '../api/status.js';
import { Running } from './changes.js';
import { Connection } from './connection.js';
import { Controllers } from './controllers.js';
import { Details } from './details.js';
import { historyOf } from './history.js';
import { LinkLine } from './link-line.js';
import type { Login } from './login.js';
import { Machines } from './machines.js';
import { advance, begin } from './model.js';
import { TimeLine } from './time-line.js';
import { clock, plural, spare } from './words.js';

/** So many machines have room beside the picture. */
const FEW = 12;

export function App({ login }: { login: Login }) {
  const [model, happen] = useReducer(advance, Date.now(), begin);
  const [opened, open] = useState<string | null>(null);
  const here = useNow();
  useEffect(() => {
    const connection = new Connection(login.token, location.host, (told) => happen({ ...told, at: Date.now() }));
    void connection.run();
  }, [login]);
  const { status, changes, sightings, clockOffsetMs } = model;
  const now = here + clockOffsetMs;
  useEffect(() => {
    if (status !== null) document.title = `${status.environment.name}: ${status.environment.phase}`;
  }, [status?.environment.name, status?.environment.phase]);
  if (status === null) {
    return (
      <main>
        <p class="muted">Asking the controllers.</p>
        <LinkLine model={model} login={login} now={here} />
      </main>
    );
  }
  const running = changes.filter(({ state }) => state === 'running');
  const few = status.machines.length <= FEW;
  const machines = (
    <section class="card" aria-labelledby="machines">
      <h2 id="machines">Machines</h2>
      <Machines machines={status.machines} />
    </section>
  );
  return (
    <>
      <Head status={status} />
      <main class={model.link.state === 'live' ? '' : 'old'}>
        <LinkLine model={model} login={login} now={here} />
        {status.stale && (
          <p class="notice bad">
            No primary is reached: this is what controller {status.answeredBy} remembers, and may be old.
          </p>
        )}
        <div class="columns">
          <section class="card" aria-labelledby="controllers">
            <h2 id="controllers">Controllers</h2>
            <Controllers status={status} open={open} />
          </section>
          <div>
            <Problems problems={status.ha.problems} />
            {running.map((change) => (
              <Running key={change.runId} change={change} now={now} />
            ))}
            {running.length === 0 && <p class="card muted">Nothing is being changed.</p>}
            {few && machines}
          </div>
        </div>
        {!few && machines}
        <section class="card" aria-labelledby="history">
          <h2 id="history">History</h2>
          {sightings.length > 0 && (
            <p class="muted small">
              Changes, as the environment has written them down; between them what this page has seen itself.
            </p>
          )}
          <TimeLine entries={historyOf(changes, sightings, clockOffsetMs)} now={now} />
        </section>
        <footer class="muted">
          {login.ends === '' ? '' : `This page may look until ${clock(Date.parse(login.ends), here)}. `}
          It changes nothing; changes are made with <code>quorate</code>.
        </footer>
      </main>
      {opened !== null && <Details status={status} machine={opened} now={now} close={() => open(null)} />}
    </>
  );
}

function Head({ status: { environment, ha } }: { status: Status }) {
  return (
    <header class="head">
      <h1>{environment.name}</h1>
      <span class="muted">{environment.cloud}</span>
      <span class={`phase ${environment.phase}`}>{environment.phase}</span>
      <span class="spare">
        {spare(ha.faultTolerance, environment.phase)}.{' '}
        <span class="muted">
          {ha.healthyVoters} of {plural(ha.voters, 'voter')} well, {ha.desired} asked for.
        </span>
      </span>
    </header>
  );
}

function Problems({ problems }: { problems: readonly string[] }) {
  if (problems.length === 0) return null;
  return (
    <section class="card problems" aria-labelledby="problems">
      <h2 id="problems">{plural(problems.length, 'problem')}</h2>
      <ul>
        {problems.map((problem) => (
          <li key={problem}>{problem}</li>
        ))}
      </ul>
    </section>
  );
}

/** This machine's clock, once a second. */
function useNow(): number {
  const [now, set] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => set(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
