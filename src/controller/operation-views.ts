import type * as api from '../api/operations.js';
import type { OperationDocument, ResultDocument, ResultState } from '../state/operation-documents.js';
import { isOpen, stateOfAll } from '../state/operation-states.js';

/** Operations as the API tells them. */
export function askedView(operation: OperationDocument): api.AskedOperation {
  const { _id, timeoutMs, createdAt, version: _, ...said } = operation;
  return { id: String(_id), ...said, timeoutSeconds: timeoutMs / 1000, createdAt: createdAt.toISOString() };
}

export function resultView(result: ResultDocument): api.Result {
  const { machine, state, exitCode, signal, message, chunks, keptBytes, stdoutBytes, stderrBytes } = result;
  return {
    machine,
    state,
    exitCode,
    signal,
    message,
    chunks,
    keptBytes,
    stdoutBytes,
    stderrBytes,
    truncated: stdoutBytes + stderrBytes > keptBytes,
    claimedAt: result.claimedAt?.toISOString() ?? null,
    endedAt: result.endedAt?.toISOString() ?? null,
  };
}

export function operationView(
  operation: OperationDocument,
  results: readonly ResultDocument[],
  token: string,
): api.Operation {
  const sorted = [...results].sort((a, b) => Number(a.machine) - Number(b.machine));
  const state = stateOfAll(results.map((result) => result.state));
  return { ...askedView(operation), state, results: sorted.map(resultView), token };
}

/** How many machines of an operation are in one state, and when the last of them ended. */
export interface Tally {
  readonly state: ResultState;
  readonly count: number;
  readonly endedAt: Date | null;
}

export function summaryView(operation: OperationDocument, tallies: readonly Tally[]): api.OperationSummary {
  const ends = tallies.map(({ endedAt }) => endedAt?.getTime() ?? 0);
  const open = tallies.length === 0 || tallies.some(isOpen);
  return {
    ...askedView(operation),
    state: stateOfAll(tallies.map(({ state }) => state)),
    machines: tallies.reduce((sum, { count }) => sum + count, 0),
    counts: Object.fromEntries(tallies.map(({ state, count }) => [state, count])),
    endedAt: open ? null : new Date(Math.max(...ends)).toISOString(),
  };
}
