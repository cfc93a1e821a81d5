import { noMachine } from '../../state/machines.js';
import { readStatus } from '../../state/status-log.js';
import type { Handler } from '../call.js';

const LIMIT = 20;

export const statusLog: Handler<'statusLog'> = async (
  { state, reader },
  { params: { id = '' }, query: { limit = LIMIT } },
) =>
  await reader.read(async ({ options }) => {
    const found = await readStatus(state, id, limit, options);
    if (found.length === 0 && (await state.machines.findOne({ _id: id }, options)) === null) throw noMachine(id);
    const entries = found.map(({ number, at, arrivedAt, what, status, message }) => ({
      number,
      at: at.toISOString(),
      arrivedAt: arrivedAt.toISOString(),
      what,
      status,
      message,
    }));
    return { machine: id, entries };
  });
