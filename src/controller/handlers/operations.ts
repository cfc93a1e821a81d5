import { Buffer } from 'node:buffer';
import { QuorateError } from '../../errors.js';
import { timeLimitMs } from '../../state/operation-limits.js';
import { cancelOperation as cancel, createOperation } from '../../state/operations.js';
import type { Controller, Handler } from '../call.js';
import { changeOf, WRITE_MS } from '../change.js';
import { operationView, summaryView, type Tally } from '../operation-views.js';
import { agentState } from '../status-of.js';

const LISTED = 50;
/** Pieces of output in one answer: less than a megabyte. */
const PIECES = 16;

export const exec: Handler<'exec'> = async (controller, call) => {
  const { caller, request } = changeOf(call);
  const { body } = call;
  const { state } = controller;
  const number = await createOperation(
    state,
    {
      command: body.command,
      machines: body.machines,
      timeoutMs: timeLimitMs(body.timeout ?? '5m'),
      background: body.background ?? false,
      by: caller.user,
      request,
      silent: await silentAgents(controller),
    },
    WRITE_MS,
  );
  return await tell(controller, number);
};

export const operations: Handler<'operations'> = async ({ state, reader }, { query: { limit = LISTED } }) =>
  await reader.read(async ({ options }) => {
    const latest = await state.operations.find({}, options).sort({ _id: -1 }).limit(limit).toArray();
    const tallies = await state.operationResults
      .aggregate<Tally & { operation: number }>(
        [
          { $match: { operation: { $in: latest.map(({ _id }) => _id) } } },
          {
            $group: {
              _id: { operation: '$operation', state: '$state' },
              count: { $sum: 1 },
              endedAt: { $max: '$endedAt' },
            },
          },
          { $project: { _id: 0, operation: '$_id.operation', state: '$_id.state', count: 1, endedAt: 1 } },
        ],
        options,
      )
      .toArray();
    const of = (number: number) => tallies.filter(({ operation }) => operation === number);
    return { operations: latest.map((operation) => summaryView(operation, of(operation._id))) };
  });

export const operation: Handler<'operation'> = async (controller, { params: { id = '' } }) =>
  await tell(controller, numberOf(id));

export const operationOutput: Handler<'operationOutput'> = async (
  { state, reader },
  { params: { id = '' }, query },
) => {
  const number = numberOf(id);
  return await reader.read(async ({ options }) => {
    const of = { operation: number, machine: query.machine };
    const chunks = await state.operationOutput
      .find({ ...of, sequence: { $gt: query.after ?? -1 } }, options)
      .sort({ sequence: 1 })
      .limit(PIECES + 1)
      .toArray();
    if (
      chunks.length === 0 &&
      (await state.operationResults.findOne({ _id: `${number}/${query.machine}` }, options)) === null
    ) {
      throw new QuorateError('not-found', `Operation ${number} is not about machine ${query.machine}.`, {
        todo: `See what it is about: quorate show-operation ${number}`,
      });
    }
    const told = chunks.slice(0, PIECES).map(({ sequence, stream, data }) => ({
      sequence,
      stream,
      data: Buffer.from(data.value()).toString('base64'),
    }));
    return { chunks: told, more: chunks.length > PIECES };
  });
};

export const cancelOperation: Handler<'cancelOperation'> = async (controller, { params: { id = '' }, caller }) => {
  const number = numberOf(id);
  if (!(await cancel(controller.state, number, caller?.user ?? '', WRITE_MS))) throw noOperation(id);
  return await tell(controller, number);
};

/** The token is taken before the reading: what changes meanwhile is told by the watch too, never by neither. */
async function tell({ state, reader, feed }: Controller, number: number) {
  const token = feed.tail ?? '';
  return await reader.read(async ({ options }) => {
    const [found, results] = await Promise.all([
      state.operations.findOne({ _id: number }, options),
      state.operationResults.find({ operation: number }, options).toArray(),
    ]);
    if (found === null) throw noOperation(String(number));
    return operationView(found, results, token);
  });
}

/** Agents that would not hear of it now, and how that is called. */
async function silentAgents({ state, observer }: Controller): Promise<Map<string, string>> {
  const [machines, beats] = await Promise.all([
    state.machines.find({}, { projection: { _id: 1 } }).toArray(),
    state.presence.find({}, { projection: { _id: 1, 'report.status': 1 } }).toArray(),
  ]);
  const byMachine = new Map(beats.map((beat) => [beat._id, beat]));
  const states = machines.map(({ _id }) => [_id, agentState(byMachine.get(_id), observer.silentMs(_id))] as const);
  return new Map(states.filter(([, agent]) => agent !== 'started'));
}

function numberOf(id: string): number {
  if (/^[1-9]\d{0,8}$/.test(id)) return Number(id);
  throw noOperation(id);
}

function noOperation(id: string): QuorateError {
  return new QuorateError('not-found', `There is no operation ${id}.`, {
    todo: 'See which there are: quorate operations. They are kept for two weeks.',
  });
}
