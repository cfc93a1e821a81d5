import { wrapped } from '../change-story.js';
import type { Colours } from '../colour.js';
import type { Symbols } from '../output.js';
import type { Finding } from './finding.js';

/** The findings for people, by where they were made: what is wrong with what to do, what is well in one line each. */
export function findingsText(
  findings: readonly Finding[],
  { sign, paint, width }: { readonly sign: Symbols; readonly paint: Colours; readonly width: number },
): string {
  const places = [...new Set(findings.map(({ where }) => where))];
  const column = Math.max(...findings.map(({ check }) => check.length));
  const blocks = places.map((place) =>
    [
      place || 'this machine',
      ...findings
        .filter(({ where }) => where === place)
        .flatMap(({ check, well, seen, todo, fixed }) => {
          const [first = '', ...more] = wrapped(seen, `${' '.repeat(column + 4)}`, width);
          const mark = well || fixed?.done ? sign.done : sign.failed;
          const head = `${mark} ${check.padEnd(column)}  ${first.trimStart()}`;
          // Ways out stand apart by more than one space; each gets a line.
          const notes = [...(fixed?.done ? [] : todo.split(/ {2,}/)), fixedText(fixed)].filter((note) => note !== '');
          return [
            well || fixed?.done ? head : paint.bad(head),
            ...more,
            ...notes.flatMap((note) => wrapped(note, `${' '.repeat(column + 4)}${sign.note} `, width)),
          ];
        }),
    ].join('\n'),
  );
  return [...blocks, summary(findings)].join('\n\n');
}

const fixedText = (fixed: Finding['fixed']): string =>
  fixed === null ? '' : fixed.done ? `put right: ${fixed.said}` : `could not be put right: ${fixed.said}`;

/** Wrong, and not put right. Pure. */
export const stillWrong = ({ well, fixed }: Finding): boolean => !well && fixed?.done !== true;

function summary(findings: readonly Finding[]): string {
  const wrong = findings.filter(stillWrong);
  if (wrong.length === 0) return 'All is well.';
  const fixable = wrong.filter(({ fix, fixed }) => fix !== null && fixed === null).length;
  const head = wrong.length === 1 ? 'One thing is wrong.' : `${wrong.length} things are wrong.`;
  if (fixable === 0) return head;
  return `${head} ${fixable === 1 ? 'One' : fixable} of them can be put right with: quorate doctor --fix`;
}
