import { setTimeout as sleep } from 'node:timers/promises';
import type { Operation, Output, Result } from '../api/operations.js';
import { QuorateError } from '../errors.js';
import type { ApiClient } from './client.js';

/** Who is told what commands write and how they end. */
export interface OperationListener {
  output(machine: string, stream: 'stdout' | 'stderr', data: Buffer): Promise<void>;
  ended(result: Result): Promise<void>;
}

const MISSED_MS = 250;
const MOST_MISSES = 20;

export const hasEnded = ({ state }: Pick<Result, 'state'>): boolean => state !== 'pending' && state !== 'running';

/**
 * Follows an operation on all its machines until the last one has ended: all output from the beginning on, each byte once
 * and in order within its machine and stream, whichever controllers answer meanwhile. The watch says that there is more, the
 * sequence numbers say what. @returns the operation as it ended; null when `signal` aborted first
 */
export async function followOperation(
  client: ApiClient,
  id: string,
  listener: OperationListener,
  signal: AbortSignal,
): Promise<Operation | null> {
  const read = new Map<string, number>();
  const results = new Map<string, Result>();
  const path = `/v1/operations/${encodeURIComponent(id)}`;
  const take = async (result: Result): Promise<void> => {
    const { machine } = result;
    const before = results.get(machine);
    if (before !== undefined && hasEnded(before)) return;
    for (let next = read.get(machine) ?? 0, misses = 0; next < result.chunks; ) {
      const query = `machine=${machine}&after=${next - 1}`;
      const { body } = await client.request<Output>('GET', `${path}/output?${query}`, { signal });
      if (body.chunks.length === 0) {
        // A controller that has lost its majority may not have it yet.
        if (misses === MOST_MISSES) throw notKept(id, machine);
        misses += 1;
        await sleep(MISSED_MS, undefined, { signal });
      }
      for (const { sequence, stream, data } of body.chunks) {
        await listener.output(machine, stream, Buffer.from(data, 'base64'));
        next = sequence + 1;
        read.set(machine, next);
      }
    }
    results.set(machine, result);
    if (hasEnded(result)) await listener.ended(result);
  };
  const over = () => [...results.values()].every(hasEnded);

  try {
    for (;;) {
      const { body } = await client.request<Operation>('GET', path, { signal });
      for (const result of body.results) await take(result);
      const all = results.size === body.results.length;
      if (all && over())
        return { ...body, results: body.results.map((result) => results.get(result.machine) ?? result) };
      await untilChanged(client, id, body.token, take, () => results.size === body.results.length && over(), signal);
      if (signal.aborted) return null;
    }
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}

/** Takes what the watch tells of the operation's results until `over`, or until what was missed has to be read anew. */
async function untilChanged(
  client: ApiClient,
  id: string,
  token: string,
  take: (result: Result) => Promise<void>,
  over: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const { kind, id: what, document } of client.watch({
      signal,
      ...(token === '' ? {} : { after: token }),
    })) {
      if (kind !== 'operation-result' || !what.startsWith(`${id}/`) || document === null) continue;
      await take(document as Result);
      if (over()) return;
    }
  } catch (error) {
    if (!(error instanceof QuorateError) || error.code !== 'token-too-old') throw error;
  }
}

function notKept(id: string, machine: string): QuorateError {
  return new QuorateError(
    'not-kept',
    `A part of what operation ${id} wrote on machine ${machine} is not kept any more.`,
    {
      todo: 'Output is kept for two weeks, and of the last 500 operations.',
    },
  );
}
