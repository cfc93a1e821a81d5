/** One link that is cut: `from` does not reach `to`. */
export interface Cut {
  readonly from: string;
  readonly to: string;
  /** The way back: cut too, whole, or not known. */
  readonly back: 'cut' | 'whole' | 'unknown';
}

/**
 * The cut links among these, each pair once when it is cut both ways. `reaches` is null where nobody could say. Pure.
 */
export function cutsOf(ids: readonly string[], reaches: (from: string, to: string) => boolean | null): Cut[] {
  return ids.flatMap((from) =>
    ids.flatMap((to): Cut[] => {
      if (from === to || reaches(from, to) !== false) return [];
      const back = reaches(to, from);
      if (back === false) return ids.indexOf(from) < ids.indexOf(to) ? [{ from, to, back: 'cut' }] : [];
      return [{ from, to, back: back === null ? 'unknown' : 'whole' }];
    }),
  );
}

/** The same in a sentence; `what` is reached or not: API, member. */
export function cutText({ from, to, back }: Cut, what: string): string {
  if (back === 'cut') return `Controllers ${from} and ${to} do not reach each other's ${what}.`;
  const oneWay = back === 'whole' ? `, though ${to} reaches that of ${from}: the link is cut one way` : '';
  return `Controller ${from} does not reach the ${what} of controller ${to}${oneWay}.`;
}
