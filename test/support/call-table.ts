import { CALLS, isCall } from '../../src/cloud/ec2/calls.js';
import { FETCH } from './call-names.js';

/** What was called while something was done. */
export interface Chapter {
  readonly title: string;
  readonly seconds: number;
  readonly calls: readonly string[];
}

/** Calls by name and how often, the most frequent first. Pure. */
export function counted(calls: readonly string[]): [call: string, times: number][] {
  const counts = new Map<string, number>();
  for (const call of calls) counts.set(call, (counts.get(call) ?? 0) + 1);
  return [...counts].sort(([a, n], [b, m]) => m - n || a.localeCompare(b));
}

/** Calls of the product's own: what instances fetch while they boot is none. Pure. */
export const ofProduct = (calls: readonly string[]): string[] => calls.filter((call) => call !== FETCH);

/** How many calls there are of its own: without those that as many seconds of nothing (`idle`) would have made besides. Pure. */
export function ownCalls({ calls, seconds }: Chapter, idle: Chapter): number {
  return Math.round(ofProduct(calls).length - (seconds / idle.seconds) * ofProduct(idle.calls).length);
}

/** As docs/ec2.md has it: a row for each chapter, what it took of both allowances, and which calls. Pure. */
export function callTable(chapters: readonly Chapter[]): string {
  const rows = chapters.map(({ title, seconds, calls }) => {
    const made = ofProduct(calls);
    const changes = made.filter((call) => isCall(call) && CALLS[call].changes).length;
    const which = counted(made).map(([call, times]) => (times === 1 ? call : `${call} ${times}`));
    return `| ${title} | ${Math.round(seconds)} | ${made.length} | ${made.length - changes} | ${changes} | ${which.join(', ')} |`;
  });
  return ['| | seconds | calls | reads | changes | which |', '| --- | --- | --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}
