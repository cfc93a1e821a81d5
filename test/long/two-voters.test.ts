/**
 * The moment with two voters, on the way from one to three: either of them is lost for good, no majority is left, and the
 * change goes on by itself from what the survivor can prove (docs/membership.md, *Two voters*).
 */
import { afterEach, expect, test } from 'vitest';
import type { Change } from '../../src/api/changes.js';
import { progressOf } from '../../src/temporal/changes.js';
import { TestEnvironment } from '../support/environment.js';
import { type Run, until } from '../support/home.js';
import { onMembership } from '../support/temporal.js';

let env: TestEnvironment | null = null;
let thaw: () => void = () => undefined;
afterEach(async () => {
  thaw();
  await env?.close();
  env = null;
}, 120_000);

interface Moment {
  readonly env: TestEnvironment;
  readonly done: Promise<Run>;
}

/**
 * An environment between two reconfigs: machine 0 and a newcomer vote, another newcomer does not, and writes go on. The
 * moment is short, so the mongod of the other one is frozen as soon as it is seen: what lags is granted no vote. It begins
 * once the note is written that the survivor proves itself by, which is when the step of granting is done.
 */
async function atTwoVoters(): Promise<Moment> {
  const here = await TestEnvironment.bootstrap(1);
  env = here;
  for (let round = 0; round < 5; round++) {
    const { done } = here.home.start('enable-ha');
    let mongod = 0;
    const voters = await until(
      'two or three voters',
      async () => {
        const { controllers, ha } = await here.status();
        const joining = controllers.filter(({ member }) => member !== null && !member.vote);
        // The one with the higher number gets its vote last.
        mongod = joining.at(-1)?.services?.mongod?.pid ?? mongod;
        return ha.voters > 1 && ha.voters;
      },
      300,
    );
    if (voters === 2 && mongod > 0) {
      process.kill(mongod, 'SIGSTOP');
      thaw = () => process.kill(mongod, 'SIGCONT');
      const granted = await onMembership(here.store, 'demo', (handle) =>
        until(
          'the end of the step that grants the first vote',
          async () => {
            const grant = (await progressOf(handle))?.steps.find(({ text }) => text.startsWith('grant a vote'));
            return (grant?.state === 'done' || grant?.state === 'failed') && grant.state;
          },
          120,
        ),
      );
      if (granted === 'done' && (await here.status()).ha.voters === 2) return { env: here, done };
      thaw();
    }
    // It had its vote already, or the note could not be written: down again, and another try.
    await done;
    await here.home.ok('disable-ha', '--keep', '0');
  }
  throw new Error('the moment with two voters was never met');
}

const LONG_MS = 900_000;

/** The change has gone on by itself: a set of one was forced on the survivor, three vote in the end, nothing is lost. */
async function goesOn({ env, done }: Moment, survivor: string): Promise<void> {
  thaw();
  const run = await done;
  if (run.code !== 0) throw new Error(`${run.stdout}\n${run.stderr}`);
  const { controllers } = await env.whole(3);
  expect(controllers.map(({ machine }) => machine)).toContain(survivor);
  const [latest] = await env.home.json<Change[]>('changes');
  const steps = latest?.steps.map(({ text, state }) => `${text}: ${state}`) ?? [];
  expect(steps).toContain(`make machine ${survivor} a set of its own: done`);
  expect(await env.lost()).toEqual([]);
  const instances = await env.home.json<{ state: string }[]>('cloud', 'list');
  expect(instances.filter(({ state }) => state === 'running')).toHaveLength(3);
}

test(
  'the old one, primary, is terminated: the new one goes on',
  async () => {
    const moment = await atTwoVoters();
    const { controllers } = await moment.env.status();
    const newer = controllers.find(({ member }) => member?.vote && member.id !== 0);
    await moment.env.cloud.terminate(controllers[0]?.instance ?? '');
    await goesOn(moment, newer?.machine ?? '');
  },
  LONG_MS,
);

test(
  'the new one is powered off: it is terminated, and the old one goes on',
  async () => {
    const moment = await atTwoVoters();
    const { controllers } = await moment.env.status();
    const newer = controllers.find(({ member }) => member?.vote && member.id !== 0);
    await moment.env.cloud.stop(newer?.instance ?? '', { graceMs: 0 });
    // Thawed sooner the other newcomer could get its vote before the loss is seen, and there would be a majority.
    await moment.env.statusWhen('the majority to be missed', ({ stale }) => stale);
    await goesOn(moment, '0');
    const instances = await moment.env.home.json<{ id: string; state: string }[]>('cloud', 'list');
    expect(instances.find(({ id }) => id === newer?.instance)?.state).not.toBe('stopped');
  },
  LONG_MS,
);
