import { duration } from '../api/duration.js';

/** Whole seconds at least: what is told of something that goes on, so that nothing flickers. */
export function elapsed(ms: number): string {
  return duration(Math.max(0, Math.round(ms / 1000))).replace(/\.\d+ s$/, ' s');
}

/** "4 ms", "1.2 s" behind the primary. */
export function lag(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}

/** The time of day where the reader is, with the day where that is not today. */
export function clock(ms: number, now: number): string {
  const at = new Date(ms);
  const time = at.toLocaleTimeString('en-GB');
  return at.toDateString() === new Date(now).toDateString()
    ? time
    : `${at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })}, ${time}`;
}

/** "one", "two": nothing for other numbers but the number itself. */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** How many more controllers can be lost, in a sentence without a full stop. */
export function spare(faultTolerance: number, phase: string): string {
  if (phase === 'no-quorum') return 'No majority answers: nothing can be changed';
  if (faultTolerance > 0) return `Can lose ${plural(faultTolerance, 'more controller')}`;
  return phase === 'default' ? 'Has no controller to spare' : 'Cannot lose another controller';
}
