import type { OutputStream } from '../../state/operation-documents.js';
import type { CommandEnd } from '../../state/operation-states.js';
import type { CommandOutcome } from './command.js';

const ENDINGS = {
  cancelled: { state: 'cancelled', message: '' },
  'timed-out': { state: 'timed-out', message: 'It was ended at its time limit.' },
  shutdown: { state: 'failed', message: 'Its machine was shut down while it ran.' },
} as const;

/** What is said of a command's end. `cut` says why not all of its output is kept; empty for no reason but its length. */
export function endOf(
  outcome: CommandOutcome,
  written: Readonly<Record<OutputStream, number>>,
  cut: string,
): CommandEnd {
  const { exitCode, signal, ending, problem } = outcome;
  const ended = ending === null ? null : ENDINGS[ending];
  return {
    state: ended?.state ?? (exitCode === 0 ? 'done' : 'failed'),
    exitCode,
    signal,
    message: [ended?.message, problem, cut].filter(Boolean).join(' '),
    stdoutBytes: written.stdout,
    stderrBytes: written.stderr,
  };
}

/** An end without a run: nothing was written. */
export function endWithout(state: 'failed' | 'cancelled' | 'unknown', message: string): CommandEnd {
  return { state, exitCode: null, signal: '', message: message.slice(0, 500), stdoutBytes: 0, stderrBytes: 0 };
}
