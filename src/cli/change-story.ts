import type { Change } from '../api/changes.js';
import { duration } from '../api/duration.js';
import type { ChangeStep } from '../state/documents.js';
import type { Colours } from './colour.js';
import type { Symbols } from './output.js';
import { stepLine } from './progress.js';

export interface StoryLook {
  readonly sign: Symbols;
  readonly paint: Colours;
  /** Columns to write into. */
  readonly width: number;
  /** Every step on its own, where what repeats itself is otherwise told once. */
  readonly all: boolean;
}

/** Steps that follow each other; `times` in a row they came the same way, and these are the last of them. */
export interface Passage {
  readonly steps: readonly ChangeStep[];
  readonly times: number;
}

/** Longest passage that is looked for: an attempt, what it waited for, and a look. */
const LONGEST_PASSAGE = 3;
/** Fewer in a row are told one by one. */
const LEAST_TIMES = 3;

/** Draws together what came the same way again and again, so that a long story can be read. Pure. */
export function passagesOf(steps: readonly ChangeStep[]): Passage[] {
  const passages: Passage[] = [];
  for (let at = 0; at < steps.length; ) {
    const found = longestRepeat(steps, at);
    const last = at + found.length * (found.times - 1);
    passages.push({ steps: steps.slice(last, last + found.length), times: found.times });
    at += found.length * found.times;
  }
  return passages;
}

function longestRepeat(steps: readonly ChangeStep[], at: number): { length: number; times: number } {
  const same = (a: ChangeStep | undefined, b: ChangeStep | undefined) => a?.text === b?.text && a?.state === b?.state;
  for (let length = 1; length <= LONGEST_PASSAGE; length++) {
    let end = at + length;
    while (end < steps.length && same(steps[end], steps[end - length])) end++;
    const times = Math.floor((end - at) / length);
    if (times >= LEAST_TIMES) return { length, times };
  }
  return { length: 1, times: 1 };
}

/** The story of one change for people: what, by whom, each step with its times, reason and evidence, and its end. */
export function storyText(change: Change, look: StoryLook): string {
  const { sign, paint, width, all } = look;
  const took = change.endedAt ? ` in ${duration(secondsBetween(change.startedAt, change.endedAt))}` : '';
  const state = change.state === 'done' ? paint.good : change.state === 'running' ? paint.busy : paint.bad;
  const passages = all ? change.steps.map((step) => ({ steps: [step], times: 1 })) : passagesOf(change.steps);
  const ended = change.endedAt ? `, ended ${clock(change.endedAt, change.startedAt)}` : '';
  return [
    `${change.id}   ${change.kind}   ${state(change.state + took)}`,
    ...wrapped(change.summary, '', width),
    `began ${day(change.startedAt)} ${clock(change.startedAt)} UTC${ended}, by ${change.by}`,
    change.url ? `Temporal: ${change.url}` : `Temporal: workflow ${change.workflowId}, run ${change.runId}`,
    '',
    ...passages.flatMap((passage) => passageLines(passage, change.startedAt, look)),
    ...(change.result ? ['', ...wrapped(`${mark(change.state, sign)} ${change.result}`, '', width)] : []),
    ...(change.steps.length === 0 ? ['Nothing of it has been written down yet.'] : []),
  ].join('\n');
}

function passageLines({ steps, times }: Passage, began: string, look: StoryLook): string[] {
  const lines = steps.flatMap((step) => stepLines(step, began, look));
  if (times === 1) return lines;
  const what = steps.length === 1 ? 'This' : `These ${steps.length} steps`;
  return [...lines, `${INDENT}${look.sign.note} ${what} came ${times} times in a row; the last is shown.`];
}

const INDENT = ' '.repeat(12);
const LABEL = 6;

function stepLines(step: ChangeStep, began: string, { sign, paint, width }: StoryLook): string[] {
  const at = step.startedAt ? clock(step.startedAt, began) : '';
  const room = Math.min(80, width) - 10;
  const head = stepLine(mark(step.state, sign), step.text, step.seconds, '', room);
  const until = step.deadline ? `until ${clock(step.deadline, began)} at most, then: ${step.otherwise ?? ''}` : '';
  const notes: [string, string][] = [
    ['why', step.reason],
    ...(step.evidence ?? []).map((seen): [string, string] => ['seen', seen]),
    ['wait', until],
    ['but', step.outcome ?? ''],
  ];
  return [
    `${at.padEnd(10)}${step.state === 'failed' ? paint.bad(head) : head}`,
    ...notes.flatMap(([label, text]) => (text === '' ? [] : wrapped(text, `${INDENT}${label.padEnd(LABEL)}`, width))),
  ];
}

function mark(state: ChangeStep['state'] | Change['state'], sign: Symbols): string {
  if (state === 'done') return sign.done;
  if (state === 'running' || state === 'waiting') return sign.running;
  return state === 'next' ? sign.next : sign.failed;
}

/** Words in lines of `width` at most; the first begins with `prefix`, the others are as far in. */
export function wrapped(text: string, prefix: string, width: number): string[] {
  const lines: string[] = [];
  let line = prefix;
  let empty = true;
  for (const word of text.split(/\s+/)) {
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = ' '.repeat(prefix.length);
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line];
}

const day = (iso: string) => iso.slice(0, 10);

/** Hours, minutes, seconds; with the day where it is another one than `began`. */
function clock(iso: string, began = iso): string {
  const time = iso.slice(11, 19);
  return day(iso) === day(began) ? time : `${day(iso)} ${time}`;
}

const secondsBetween = (from: string, to: string) => Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
