/** A figure as measured, and as printed. Seconds unless `unit` says otherwise. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export type Unit =
  | 's'
  | 'µs'
  | 'events'
  | 'MB'
  | 'KB'
  | 'elections'
  | 'agents'
  | 'connections'
  | 'cores'
  | '1/s'
  | '1/h';

export interface Figure extends Spread {
  readonly name: string;
  readonly unit: Unit;
  /** The bare parts, measured in the same run by the same harness; null where there is no such thing. */
  readonly floor: Spread | null;
  /** What it should be at most; null where it is only measured. */
  readonly goal: number | null;
}

export interface Sample {
  readonly name: string;
  readonly value: number;
  readonly floor?: number;
}

/** What only some benchmarks ask for. */
export interface Extent {
  /** How many agents or machines at most. */
  readonly agents?: number;
  readonly controllers?: 1 | 3 | 5;
}

/** A benchmark gives samples of its figures, once each run. */
export interface Bench {
  readonly goals: Readonly<Record<string, { readonly goal: number | null; readonly unit?: Unit }>>;
  /** @param minutes how long what has to be watched for a while is watched */
  readonly measure: (runs: number, minutes: number, extent: Extent) => AsyncIterable<Sample>;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  return { min: at(0), median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2, max: at(sorted.length - 1) };
}

/** Puts the samples of all runs together. */
export function figuresOf(bench: Bench, samples: readonly Sample[]): Figure[] {
  return Object.entries(bench.goals).flatMap(([name, { goal, unit }]) => {
    const mine = samples.filter((sample) => sample.name === name);
    if (mine.length === 0) return [];
    const floors = mine.flatMap((sample) => (sample.floor === undefined ? [] : [sample.floor]));
    return [
      {
        name,
        unit: unit ?? 's',
        ...spread(mine.map(({ value }) => value)),
        floor: floors.length > 0 ? spread(floors) : null,
        goal,
      },
    ];
  });
}

/** How long it takes, in seconds. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}
