import type { Tracing } from './otel.js';
import type { Service } from './service.js';
import { tracingWanted } from './wanted.js';

export type { Tracing } from './otel.js';

let current: Tracing | null = null;

/** This process's tracing; null while traces are off, which is all that they cost then. */
export function tracing(): Tracing | null {
  return current;
}

/**
 * To be called once in a process. Where the standard variables ask for traces their library is loaded; where they do not,
 * nothing is.
 * @param onProblem told, now and then, why spans could not be sent
 */
export async function startTracing(service: Service, onProblem: (sentence: string) => void): Promise<Tracing | null> {
  if (!tracingWanted(process.env)) return null;
  const { Tracing } = await import('./otel.js');
  current = new Tracing(service, onProblem);
  return current;
}
