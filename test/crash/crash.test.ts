import { randomInt } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { befall } from './calamities.js';
import { boundaries, type Case, choose, randomFrom } from './cases.js';
import { NeverHeld } from './holds.js';
import { SCRIPTS } from './scripts.js';
import { Stage } from './stage.js';

/**
 * Every activity of every workflow is held before, during or after its effect, and something dies meanwhile, or the effect
 * comes late. In the end all is as if nothing had happened, and nothing that was acknowledged is lost.
 *
 * Some cases, drawn by a seed that is printed (QUORATE_CRASH_SEED); with QUORATE_CRASH=each one of each activity, with
 * QUORATE_CRASH=all every one, with QUORATE_CRASH=WORDS those whose name contains the words.
 */
const asked = process.env.QUORATE_CRASH ?? '';
const seed = Number(process.env.QUORATE_CRASH_SEED ?? randomInt(2 ** 31));
console.log(`crash tests: QUORATE_CRASH_SEED=${seed}`);
const which = asked === '' ? 'some' : asked === 'each' ? 'one of each' : 'all';
const drawn = choose(boundaries(), which, randomFrom(seed));
const cases = drawn
  .map((each) => ({ ...each, title: titleOf(each) }))
  .filter(({ title }) => ['', 'each', 'all'].includes(asked) || title.includes(asked));

let stage: Stage | null = null;
afterAll(async () => {
  await stage?.close();
}, 60_000);

test.each(cases)('$title', { timeout: 300_000 }, async (each) => {
  const script = SCRIPTS[each.workflow];
  if (script === undefined) throw new Error(`nothing says how ${each.workflow} is brought about: add it to scripts.ts`);
  stage ??= new Stage();
  try {
    await run(each, stage);
  } catch (error) {
    // What is left is not fit for the next case.
    await stage.close();
    stage = null;
    throw error;
  }
});

async function run(each: Case, stage: Stage): Promise<void> {
  const script = SCRIPTS[each.workflow] as (typeof SCRIPTS)[string];
  await stage.lead(script.from);
  if (script.from !== null) await stage.write();
  const before = script.from === null ? null : await stage.status();
  const commands = script.commands(stage.name, before);
  stage.holds.arm(each);
  let over: string | null = null;
  const typed = stage.type(commands).then((run) => {
    over = `what was typed ended with ${run.code}: ${run.stdout}${run.stderr}`;
    return run;
  });
  const held = await stage.holds
    .held(each.activity, () => over)
    .catch((error) => {
      if (!(error instanceof NeverHeld)) throw error;
      throw new Error(`${each.activity} ran less often than ${each.occurrence} times; ${over}`);
    });
  await befall(each, {
    stage,
    script,
    held,
    again: script.again?.(stage.name) ?? commands,
    typed: settledWithin(typed),
  });
  await settledWithin(typed);
  if (each.calamity.startsWith('until')) await stage.holds.ended();
  await stage.settled(script.to);
  if (script.to === null) return await stage.abandonWriting();
  expect(await stage.stopWriting()).toEqual([]);
}

/** What was typed comes to its end, whatever that is; a change that stands still is shown as it stands. */
async function settledWithin<T>(typed: Promise<T>): Promise<T> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error('what was typed has not ended within 150 s')), 150_000).unref();
  });
  return await Promise.race([typed, late]);
}

function titleOf({ workflow, activity, occurrence, moment, calamity }: Case): string {
  const which = occurrence === 1 ? '' : ` (${occurrence})`;
  return calamity.startsWith('until')
    ? `${workflow}: ${activity}${which} held ${calamity}`
    : `${workflow}: ${calamity} killed ${moment} ${activity}${which}`;
}
