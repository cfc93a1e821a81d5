import { availableParallelism, loadavg } from 'node:os';
import { type Act, nameOf } from './acts.js';
import type { Helped } from './ending.js';
import type { Outcome, Read, Write } from './history.js';

/** What was done, in numbers. */
export class Figures {
  readonly #acts = new Map<string, number>();
  elections = 0;
  /** That the watcher was told. */
  events = 0;
  /** By kind and how they ended. */
  changes: Readonly<Record<string, number>> = {};
  /** What the status still says at the end. */
  problems: readonly string[] = [];
  /** When a person had to type a command; null when none had to. */
  helped: Helped | null = null;
  /** That the sentinel asked for, and losses that deserved one. */
  replacements = { asked: 0, deserved: 0 };

  count(act: Act): void {
    if (act.kind === 'end') return;
    const name = act.kind === 'command' ? `quorate ${nameOf(act)}` : nameOf(act);
    this.#acts.set(name, (this.#acts.get(name) ?? 0) + 1);
  }

  words(operations: readonly (Write | Read)[], anomalies: number): string {
    const writes = operations.filter(({ kind }) => kind === 'write');
    const of = (outcome: Outcome) => writes.filter((write) => write.outcome === outcome).length;
    const longest = operations.reduce((most, each) => Math.max(most, each.returnedAt - each.invokedAt), 0);
    const lines = [
      `operations     ${operations.length} (${writes.length} writes)`,
      `acknowledged   ${of('ok')}, failed ${of('fail')}, unknown ${of('unknown')}`,
      `faults         ${this.#listed((name) => !name.startsWith('quorate '))}`,
      `commands       ${this.#listed((name) => name.startsWith('quorate '))}`,
      `changes        ${
        Object.entries(this.changes)
          .map(([name, count]) => `${count} ${name}`)
          .join(', ') || 'none'
      }`,
      `replacements   ${this.replacements.asked} by the sentinel, for ${this.replacements.deserved} losses`,
      `watched        ${this.events} events`,
      `elections      ${this.elections}`,
      `longest wait   ${(longest / 1000).toFixed(2)} s`,
      `anomalies      ${anomalies}`,
    ];
    // What a machine that is overloaded by others cannot do in time is no defect.
    lines.push(
      `load           ${loadavg()
        .map((load) => load.toFixed(0))
        .join(' ')} on ${availableParallelism()} processors`,
    );
    if (this.problems.length > 0) lines.push(`problems       ${this.problems.join('\n               ')}`);
    if (this.helped !== null)
      lines.push(`needed a hand  ${this.helped.lacks} (${this.helped.why ?? 'and should not have'})`);
    return lines.join('\n');
  }

  #listed(wanted: (name: string) => boolean): string {
    const named = [...this.#acts].filter(([name]) => wanted(name)).sort(([, a], [, b]) => b - a);
    return named.map(([name, count]) => `${count} ${name.replace(/^quorate /, '')}`).join(', ') || 'none';
  }
}
