import type { ControllerStatus } from './status.js';

const SEEN: Readonly<Record<string, string>> = {
  terminated: 'is terminated, says its cloud',
  stopped: 'is stopped, says its cloud',
  silent: 'does not answer, neither its agent nor its member',
  ill: 'has an agent, but its member does not come up',
  degraded: 'has a healthy member, but its agent is silent',
  'cut-off': 'is well, but the link between it and the primary is cut',
  maintenance: 'is away, under maintenance',
};

/** "does not answer, … (for 8 s); in 7 s: written off and replaced, unless something of it answers", of a machine. */
export function evidenceText({
  verdict,
  sinceSeconds,
  next,
  nextInSeconds,
}: NonNullable<ControllerStatus['evidence']>): string {
  const since = sinceSeconds >= 1 ? ` (for ${lasting(sinceSeconds)})` : '';
  const then = next === '' ? '' : nextInSeconds ? `; in ${lasting(nextInSeconds)}: ${next}` : `; ${next}`;
  return `${SEEN[verdict] ?? verdict}${since}${then}`;
}

const lasting = (seconds: number): string =>
  seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
