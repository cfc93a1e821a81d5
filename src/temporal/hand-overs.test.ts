import { describe, expect, test } from 'vitest';
import { type HistoryEvent, handOvers, watchesIn } from './hand-overs.js';
import { HANDED_OVER } from './names.js';
import type { HandedOver } from './watches.js';

const A = '1@machine 0';
const B = '2@machine 1';
const C = '3@machine 2';
const T0 = Date.parse('2026-01-01T00:00:00Z');
const at = (seconds: number) => new Date(T0 + seconds * 1000).toISOString();
const time = (seconds: number) => ({
  seconds: String(Math.floor(T0 / 1000 + seconds)),
  nanos: Math.round((seconds % 1) * 1e9),
});

let next = 0;
const event = (seconds: number, attributes: Omit<HistoryEvent, 'eventId' | 'eventTime'>): HistoryEvent => ({
  eventId: String(++next),
  eventTime: time(seconds),
  ...attributes,
});
/** A round of an activity: scheduled, then started and completed by a worker; both are written when it ends. */
function round(
  worker: string,
  began: number,
  ended: number,
  { name = 'followWork', middle = [], attempt = 1 }: { name?: string; middle?: HistoryEvent[]; attempt?: number } = {},
) {
  const scheduled = event(began, { activityTaskScheduledEventAttributes: { activityType: { name } } });
  const scheduledEventId = scheduled.eventId;
  return [
    scheduled,
    ...middle,
    event(began, { activityTaskStartedEventAttributes: { scheduledEventId, identity: worker, attempt } }),
    event(ended, { activityTaskCompletedEventAttributes: { scheduledEventId } }),
  ];
}
function told(seconds: number, handedOver: HandedOver): HistoryEvent {
  const payloads = [{ data: Buffer.from(JSON.stringify(handedOver)) }];
  return event(seconds, { workflowExecutionSignaledEventAttributes: { signalName: HANDED_OVER, input: { payloads } } });
}
const overs = (
  events: readonly HistoryEvent[],
  now: { worker: string; attempt: number; startedAt: number } | null = null,
) => handOvers(watchesIn(events, 'followWork').entries, now);

describe('hand-overs', () => {
  test('there are none as long as one worker has all rounds', () => {
    const events = [...round(A, 0, 10), ...round(A, 11, 20)];
    expect(overs(events, { worker: A, attempt: 1, startedAt: T0 + 21_000 })).toEqual([]);
    expect(watchesIn(events, 'followWork').rounds).toBe(2);
    expect(overs([])).toEqual([]);
  });

  test('between two rounds the gap is from the end of the one to the start of the other, the present one too', () => {
    const events = [...round(A, 0, 10), ...round(B, 10.25, 20)];
    expect(overs(events, { worker: C, attempt: 1, startedAt: T0 + 20_125 })).toEqual([
      { at: at(10.25), from: A, to: B, gapSeconds: 0.25, why: 'a new round' },
      { at: at(20.125), from: B, to: C, gapSeconds: 0.125, why: 'a new round' },
    ]);
  });

  test('in the middle of a round it is told once, from the last heartbeat on', () => {
    const lost = told(13, { from: A, to: B, heardAt: at(10.5), tookAt: at(13), why: 'its worker was lost' });
    const expected = [{ at: at(13), from: A, to: B, gapSeconds: 2.5, why: 'its worker was lost' }];
    // While the round goes on.
    const scheduled = event(0, { activityTaskScheduledEventAttributes: { activityType: { name: 'followWork' } } });
    expect(overs([scheduled, lost], { worker: B, attempt: 2, startedAt: T0 + 13_000 })).toEqual(expected);
    // Once it has ended: the round's own start is that of the last attempt.
    const [first, ...rest] = round(B, 13, 20, { attempt: 2 });
    expect(overs([first as HistoryEvent, lost, ...rest])).toEqual(expected);
  });

  test('that of a worker that was not told of shows in the next round', () => {
    const left = told(13, { from: B, to: C, heardAt: at(12), tookAt: at(13), why: 'its worker left' });
    expect(overs([...round(A, 0, 10), ...round(C, 13, 20, { middle: [left], attempt: 2 })])).toEqual([
      { at: at(13), from: B, to: C, gapSeconds: 1, why: 'its worker left' },
    ]);
  });

  test('what was not told yet is not guessed: in the middle of a round nobody knows who had it before', () => {
    expect(overs(round(A, 0, 10), { worker: B, attempt: 2, startedAt: T0 + 13_000 })).toEqual([]);
    expect(overs([...round(A, 0, 10), ...round(B, 13, 20, { attempt: 2 }), ...round(B, 21, 22)])).toEqual([]);
  });

  test('other activities and other signals are none', () => {
    const events = [
      ...round(A, 0, 10),
      ...round(B, 10, 11, { name: 'startInstance' }),
      event(11, { workflowExecutionSignaledEventAttributes: { signalName: 'other' } }),
      ...round(A, 12, 20),
    ];
    expect(overs(events)).toEqual([]);
  });
});
