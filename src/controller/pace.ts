import type { ToAgent } from '../api/sockets.js';
import type { Job } from '../membership/types.js';

export type Pace = Omit<Extract<ToAgent, { type: 'pace' }>, 'type'>;

/** Two beats for each second's write, so that none of them finds an agent that only beat just before and just after it. */
const CONTROLLER: Pace = { beatMs: 500, heartbeatMs: 400, silentMs: 1600, returnWithinMs: 0 };

const between = (least: number, value: number, most: number) => Math.min(most, Math.max(least, Math.round(value)));

/** It is a controller or was one: its agent beats for itself, as its own word is what it is judged by. Others are on the roll. */
export const beats = (jobs: readonly Job[]): boolean =>
  jobs.includes('manage-state') || jobs.includes('manage-environ') || !jobs.includes('host-units');

/**
 * How an agent is to keep its connection where there are so many in the environment: all of them together ask about a
 * thousand times a second and not more, up to 5,000, and come back in some seconds.
 */
export function paceOf(jobs: readonly Job[], agents: number): Pace {
  if (beats(jobs)) return CONTROLLER;
  const heartbeatMs = between(1000, agents, 5000);
  return {
    beatMs: between(10_000, 10 * agents, 60_000),
    heartbeatMs,
    silentMs: between(5000, 2 * heartbeatMs, 10_000),
    returnWithinMs: between(0, 0.6 * agents, 3000),
  };
}

/** Whether a number of agents is so different from the one that was told that it is told again. */
export const isOutgrown = (told: number, agents: number): boolean => agents > 2 * told || 2 * agents < told;
