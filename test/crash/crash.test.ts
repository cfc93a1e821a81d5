import { randomInt } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { reasonOf } from '../../src/errors.js';
import { befall } from './calamities.js';
import { boundariesOn, type Case, choose, randomFrom } from './cases.js';
import { NeverHeld } from './holds.js';
import { SCRIPTS } from './scripts.js';
import { Stage } from './stage.js';

/**
 * Every activity of every recorded history is held before, during or after its effect, and something dies meanwhile, or the
 * effect comes late. In the end all is as if nothing had happened: nothing that was acknowledged is lost, no instance was
 * doubled or is left over, no member of the set belongs to nobody, and nothing was replaced twice.
 *
 * On the local cloud, or with QUORATE_CRASH_CLOUD=ec2 on an EC2 endpoint whose instances boot, with the stories that it has.
 *
 * Some cases, drawn by a seed that is printed (QUORATE_CRASH_SEED); with QUORATE_CRASH=each one of each activity, with
 * QUORATE_CRASH=all every one, with QUORATE_CRASH=WORDS,WORDS those whose name contains any of the words.
 */
const asked = process.env.QUORATE_CRASH ?? '';
const seed = Number(process.env.QUORATE_CRASH_SEED ?? randomInt(2 ** 31));
const cloud = process.env.QUORATE_CRASH_CLOUD ?? 'local';
if (cloud !== 'local' && cloud !== 'ec2') throw new Error('QUORATE_CRASH_CLOUD is local or ec2');
console.log(`crash tests: QUORATE_CRASH_SEED=${seed}`);
const which = asked === '' ? 'some' : asked === 'each' ? 'one of each' : 'all';
const drawn = choose(boundariesOn(cloud), which, randomFrom(seed));
const cases = drawn
  .map((each) => ({ ...each, title: titleOf(each) }))
  .filter(
    ({ title }) => ['', 'each', 'all'].includes(asked) || asked.split(',').some((words) => title.includes(words)),
  );

let stage: Stage | null = null;
afterAll(async () => {
  await stage?.close();
}, 120_000);

for (const each of cases) {
  test(each.title, { timeout: (cloud === 'local' ? 10 : 40) * 60_000 }, async () => {
    if (SCRIPTS[each.history] === undefined) {
      throw new Error(`nothing says how ${each.history} is brought about: add it to scripts.ts`);
    }
    stage ??= await Stage.open(cloud);
    try {
      await run(each, stage);
    } catch (error) {
      // What is left is not fit for the next case.
      await stage.close();
      stage = null;
      throw error;
    }
  });
}

async function run(each: Case, stage: Stage): Promise<void> {
  const script = SCRIPTS[each.history] as (typeof SCRIPTS)[string];
  await stage.lead(script.from);
  if (script.from !== null) await stage.write();
  const before = script.from === null ? null : await stage.status();
  if (before !== null) await script.prepare?.(stage, before);
  stage.holds.arm(each);
  let over: string | null = null;
  const playing = script.play(stage, before).then((end) => {
    over = end;
  });
  // Waited for below; until then it is no one else's to see.
  playing.catch((error) => {
    over = String(error);
  });
  const held = await stage.holds
    .held(each.activity, () => over)
    .catch((error) => {
      if (!(error instanceof NeverHeld)) throw error;
      throw new Error(`${each.activity} ran less often than ${each.occurrence} times; ${over}`);
    });
  const played = settledWithin(playing, 240 * stage.patience);
  await befall(each, { stage, script, held, again: () => (script.again ?? script.play)(stage, before), played });
  await played;
  if (each.calamity.startsWith('until')) await stage.holds.ended(held);
  await script.tidy?.(stage);
  await stage.settled(script.to).catch((error) => {
    throw new Error(`${reasonOf(error)}; ${over}`);
  });
  if (script.to === null) return await stage.abandonWriting();
  expect(await stage.stopWriting()).toEqual([]);
  if (script.from === null) return;
  expect(await stage.doubled()).toEqual([]);
  if (script.to === 3) expect(await stage.startedInVain()).toEqual([]);
  const terminated = each.calamity.includes('terminated') && !script.singleton ? 1 : 0;
  // One for each loss; one more where the first of them was ended from outside.
  expect((await stage.replacements()).length).toBeLessThanOrEqual(stage.hit + terminated);
}

/** What was begun comes to its end, whatever that is; a change that stands still is shown as it stands. */
async function settledWithin<T>(played: Promise<T>, seconds: number): Promise<T> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`what was begun has not ended within ${seconds} s`)), seconds * 1000).unref();
  });
  return await Promise.race([played, late]);
}

function titleOf({ history, activity, occurrence, moment, calamity }: Case): string {
  const which = occurrence === 1 ? '' : ` (${occurrence})`;
  return calamity.startsWith('until')
    ? `${history}: ${activity}${which} held ${calamity}`
    : `${history}: ${calamity} killed ${moment} ${activity}${which}`;
}
