import { secondaryOf, TestEnvironment } from '../test/support/environment.js';
import { Sentinel } from '../test/support/sentinel.js';
import { bareSet } from './bare.js';
import { type Bench, type Sample, seconds } from './figure.js';

const GRACE_S = 5;

/**
 * From the loss of a secondary to three healthy voters again, by itself: by the cloud's word, with the sentinel's worker
 * elsewhere and on the one that is lost, and by silence, less its grace. An environment gets three such replacements a
 * day, so each run has its own. `-begun`: until the replacement has begun. And how long a client waits at most while a
 * person has a secondary replaced.
 */
export const replace: Bench = {
  goals: {
    'replace-terminated': { goal: 6 },
    'replace-terminated-begun': { goal: 1 },
    'replace-terminated-watching': { goal: 9 },
    'replace-terminated-watching-begun': { goal: 3 },
    'replace-silent': { goal: 6 },
    'replace-wait': { goal: 0.1 },
  },
  async *measure(runs): AsyncIterable<Sample> {
    for (let run = 0; run < runs; run++) {
      const environment = await TestEnvironment.bootstrap(3, [`grace=${GRACE_S}s`]);
      const sentinel = await Sentinel.of(environment);
      const { cloud } = environment;
      try {
        let watching = await sentinel.machine();
        const elsewhere = secondaryOf(await environment.whole(3), watching);
        const floor = await bareReplacement();
        yield* samples(
          'replace-terminated',
          await replaced(environment, elsewhere, (id) => cloud.terminate(id)),
          floor,
        );
        watching = await sentinel.machine();
        yield* samples(
          'replace-terminated-watching',
          await replaced(environment, watching, (id) => cloud.terminate(id)),
          floor,
        );
        const silent = secondaryOf(await environment.whole(3), await sentinel.machine());
        const { whole } = await replaced(environment, silent, (id) => cloud.pause(id));
        yield { name: 'replace-silent', value: whole - GRACE_S, floor };

        const leaving = secondaryOf(await environment.whole(3));
        environment.writer.lap();
        await environment.home.ok('replace', leaving);
        yield { name: 'replace-wait', value: environment.writer.lap().longestWait };
        const lost = await environment.lost();
        if (lost.length > 0) throw new Error(`${lost.length} acknowledged writes are missing`);
      } finally {
        await sentinel.close();
        await environment.close();
      }
    }
  },
};

interface Replaced {
  readonly begun: number;
  readonly whole: number;
}

const samples = (name: string, { begun, whole }: Replaced, floor: number): Sample[] => [
  { name, value: whole, floor },
  { name: `${name}-begun`, value: begun },
];

/** Seconds in which bare mongods lose one of three, and have another one vote in its place. */
async function bareReplacement(): Promise<number> {
  const bare = await bareSet();
  try {
    await bare.start(3);
    await bare.initiate();
    await bare.grow();
    await bare.kill(2);
    return await seconds(() => bare.replace(2));
  } finally {
    await bare.close();
  }
}

/** Seconds until its replacement has begun, and until three others vote. */
async function replaced(
  environment: TestEnvironment,
  machine: string,
  lose: (instance: string) => Promise<unknown>,
): Promise<Replaced> {
  const instance = await environment.instanceOf(machine);
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  await lose(instance);
  await environment.statusWhen('its replacement to have begun', ({ change }) => change?.kind === 'replace', 120);
  const begun = elapsed();
  await environment.statusWhen(
    `three voters without machine ${machine}`,
    ({ ha, controllers }) => ha.healthyVoters === 3 && controllers.every((one) => one.machine !== machine),
    120,
  );
  const whole = elapsed();
  await environment.statusWhen('the change to have ended', ({ change }) => change === null);
  return { begun, whole };
}
