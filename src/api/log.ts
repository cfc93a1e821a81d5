import { type Static, Type } from '@sinclair/typebox';
import { LEVELS } from '../log/line.js';

export const LogQuery = Type.Object(
  {
    level: Type.Optional(Type.Union(LEVELS.map((level) => Type.Literal(level)))),
    /** Lines of so many seconds before now, by the clock of the machine that wrote them. */
    seconds: Type.Optional(Type.Number({ minimum: 0, maximum: 1e9 })),
    limit: Type.Optional(Type.Integer({ minimum: 0, maximum: 2000 })),
    after: Type.Optional(Type.String({ maxLength: 400, description: 'a cursor: only what was written since' })),
  },
  { additionalProperties: false },
);

export const LogLine = Type.Object(
  {
    time: Type.String({ description: 'ISO 8601, by the clock of the machine that wrote it' }),
    level: Type.Union(LEVELS.map((level) => Type.Literal(level))),
    program: Type.String(),
    machine: Type.String(),
    msg: Type.String(),
  },
  { additionalProperties: true, description: 'and whatever else the program says' },
);
export type LogLine = Static<typeof LogLine> & { readonly [said: string]: unknown };

/** What `GET /v1/log` answers: the end of the logs of one controller's programs, the oldest line first. */
export const Log = Type.Object(
  {
    machine: Type.String(),
    lines: Type.Array(LogLine),
    cursor: Type.String({ description: 'to be asked with for what comes' }),
    more: Type.Boolean({ description: 'there is more than fits into one answer, before the first line' }),
  },
  { $id: 'Log' },
);
export type Log = Static<typeof Log>;
