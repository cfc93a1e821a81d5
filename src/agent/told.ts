import { Value } from '@sinclair/typebox/value';
import { ToAgent } from '../api/sockets.js';

/** What a controller says of this machine. */
export type ToldMachine = Extract<ToAgent, { type: 'machine' }>;

/** A controller's message; null for one that this agent does not know. */
export function parseTold(message: unknown): ToAgent | null {
  return Value.Check(ToAgent, message) ? message : null;
}
