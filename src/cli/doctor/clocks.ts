import type { Ping } from '../../api/access.js';
import type { Ask } from '../../client/each.js';
import { type Judged, well, wrong } from './finding.js';

/** A machine's clock against this one's. */
export interface ClockReading {
  /** Milliseconds that it is ahead, negative when it is behind. */
  readonly aheadMs: number;
  /** It may be so far off the truth: half the time that the question took. */
  readonly uncertainMs: number;
}

const PINGS = 4;
const APART_MS = 1000;

/** Of some pings the quickest says most: the answer's time is that of the middle of the question. */
export async function readClock(ask: Ask, now: () => number = Date.now): Promise<ClockReading> {
  const readings: ClockReading[] = [];
  for (let ping = 0; ping < PINGS; ping++) {
    const asked = now();
    const { time } = await ask<Ping>('/v1/ping');
    const answered = now();
    readings.push({ aheadMs: time - (asked + answered) / 2, uncertainMs: (answered - asked) / 2 });
  }
  return readings.reduce((best, reading) => (reading.uncertainMs < best.uncertainMs ? reading : best));
}

/**
 * Nothing that Quorate decides compares two machines' clocks; logs, certificates and people do. Pure.
 */
export function judgeClocks(clocks: readonly ({ readonly machine: string } & ClockReading)[]): readonly Judged[] {
  if (clocks.length === 0) return [];
  const sorted = clocks.map(({ aheadMs }) => aheadMs).sort((a, b) => a - b);
  const usual = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const off = clocks.filter(({ aheadMs, uncertainMs }) => Math.abs(aheadMs - usual) - uncertainMs > APART_MS);
  const judged = off.map(({ machine, aheadMs }) =>
    wrong(
      `the clock of machine ${machine} is ${apart(aheadMs - usual)} the others`,
      'Have it set by NTP: certificates and logs go by it, and tokens end by it.',
    ),
  );
  const surest = Math.min(...clocks.map(({ uncertainMs }) => uncertainMs));
  if (Math.abs(usual) - surest > APART_MS) {
    judged.push(wrong(`the clock of this machine is ${apart(-usual)} the controllers'`, 'Have it set by NTP.'));
  }
  if (judged.length > 0) return judged;
  const widest = Math.max(...clocks.map(({ aheadMs }) => Math.abs(aheadMs - usual)));
  return [well(`${clocks.length} clocks agree to ${Math.max(1, Math.round(widest))} ms`)];
}

const apart = (ms: number) => `${(Math.abs(ms) / 1000).toFixed(1)} s ${ms > 0 ? 'ahead of' : 'behind'}`;
