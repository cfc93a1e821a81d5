import type { Request } from '../state/requests.js';
import type { Caller } from './login.js';

/** How long one change goes on over elections before it says that it could not be made. */
export const WRITE_MS = 15_000;

/** Who changes what by which request: a route that is a change is called by nobody without them. */
export function changeOf({ caller, request }: { readonly caller: Caller | null; readonly request: Request | null }): {
  readonly caller: Caller;
  readonly request: Request;
} {
  if (caller === null || request === null) throw new Error('a change without caller or idempotency key');
  return { caller, request };
}

/** The same of a machine that the path names. */
export function machineChangeOf(
  call: Parameters<typeof changeOf>[0] & { readonly params: Readonly<Record<string, string>> },
): { readonly machine: string; readonly request: Request } {
  return { machine: call.params.id ?? '', request: changeOf(call).request };
}
