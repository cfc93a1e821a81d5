import { cursorOf, positionsOf } from '../../log/cursor.js';
import { chosen, entriesOf, inOrder } from '../../log/entries.js';
import { tailOf } from '../../log/tail.js';
import type { Handler } from '../call.js';

const LIMIT = 200;

/** From this machine's own files; nobody else is asked, so that it can be read whatever is the matter. */
export const log: Handler<'log'> = async ({ config }, { query: { level = 'info', seconds, limit = LIMIT, after } }) => {
  const { machine, environment, logs = [] } = config;
  const positions = positionsOf(after ?? '', logs.length);
  const tails = await Promise.all(
    logs.map(async ({ program, file }, n) => ({ program, tail: await tailOf(file, positions[n] ?? null) })),
  );
  const entries = tails.flatMap(({ program, tail }) =>
    entriesOf(tail.lines, {
      program,
      machine,
      environment: environment.name,
      time: new Date(tail.writtenAt).toISOString(),
    }),
  );
  const since = seconds === undefined ? '' : new Date(Date.now() - seconds * 1000).toISOString();
  const { lines, more } = chosen(inOrder(entries), { level, since, limit });
  return {
    machine,
    lines: [...lines],
    cursor: cursorOf(tails.map(({ tail }) => tail.end)),
    more: more || tails.some(({ tail }) => tail.more),
  };
};
