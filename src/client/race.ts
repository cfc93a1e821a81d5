/** Where nobody says another: what a silent first candidate costs. */
export const STAGGER_MS = 25;

export interface RaceOptions<T> {
  /** How long after one candidate the next is started; at once when all that were started have failed. */
  readonly staggerMs: number;
  /** Tries one candidate. When `signal` aborts it gives up and takes back whatever it had. */
  readonly dial: (candidate: string, signal: AbortSignal) => Promise<T>;
  readonly onFailure: (candidate: string, error: unknown) => void;
  /** Takes back what a candidate gave that succeeded too late. */
  readonly discard: (value: T) => void;
}

/**
 * Dials all candidates with a small stagger; the first to succeed wins and the others are called off. Null when all
 * failed.
 */
export async function race<T>(
  candidates: readonly string[],
  { staggerMs, dial, onFailure, discard }: RaceOptions<T>,
): Promise<{ candidate: string; value: T } | null> {
  const over = new AbortController();
  let started = 0;
  let failed = 0;
  let won = false;
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve) => {
      const startNext = () => {
        clearTimeout(timer);
        const candidate = candidates[started];
        if (candidate === undefined) {
          if (failed === candidates.length) resolve(null);
          return;
        }
        started += 1;
        timer = setTimeout(startNext, staggerMs);
        dial(candidate, over.signal).then(
          (value) => {
            if (won) return discard(value);
            won = true;
            resolve({ candidate, value });
          },
          (error) => {
            if (won) return;
            onFailure(candidate, error);
            failed += 1;
            if (failed === started) startNext();
          },
        );
      };
      startNext();
    });
  } finally {
    clearTimeout(timer);
    over.abort();
  }
}
