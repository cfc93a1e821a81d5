/** What is known of one service, on the agent's monotonic clock (milliseconds). */
export interface ServiceView {
  readonly wanted: boolean;
  readonly process: 'none' | 'up' | 'terminating' | 'killed';
  /** Runs in a row that ended before they had lasted `SETTLED_MS`. */
  readonly failures: number;
  /** When the last run ended by itself; null when none did. */
  readonly endedAt: number | null;
  /** When the process was asked to leave; null when it was not. */
  readonly terminatedAt: number | null;
  /** How long it may take to leave. */
  readonly stopWithinMs: number;
}

/** `wait`: nothing until something happens, or `ms` have passed. */
export type Next =
  | { readonly do: 'start' }
  | { readonly do: 'terminate' }
  | { readonly do: 'kill' }
  | { readonly do: 'wait'; readonly ms: number | null };

/** A run that lasted this long was a good one: the next start is not held back. */
export const SETTLED_MS = 10_000;
const FIRST_BACK_OFF_MS = 250;
const LONGEST_BACK_OFF_MS = 10_000;

/** How long to wait after so many short runs in a row. */
export function backOff(failures: number): number {
  if (failures === 0) return 0;
  return Math.min(FIRST_BACK_OFF_MS * 2 ** (failures - 1), LONGEST_BACK_OFF_MS);
}

/** The next thing to do for a service. Never starts a second process before the first has left. */
export function nextFor(service: ServiceView, now: number): Next {
  switch (service.process) {
    case 'none': {
      if (!service.wanted) return { do: 'wait', ms: null };
      const due = service.endedAt === null ? now : service.endedAt + backOff(service.failures);
      return due <= now ? { do: 'start' } : { do: 'wait', ms: due - now };
    }
    case 'up':
      return service.wanted ? { do: 'wait', ms: null } : { do: 'terminate' };
    case 'terminating': {
      const due = (service.terminatedAt ?? now) + service.stopWithinMs;
      return due <= now ? { do: 'kill' } : { do: 'wait', ms: due - now };
    }
    case 'killed':
      return { do: 'wait', ms: null };
  }
}
