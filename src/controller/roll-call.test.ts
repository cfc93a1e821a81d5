import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RollCall } from './roll-call.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A connection that answers pings, or does not. */
class Line extends EventEmitter {
  ended = false;
  constructor(readonly answers: boolean) {
    super();
  }
  ping(): void {
    if (this.answers) this.emit('pong');
  }
  terminate(): void {
    this.ended = true;
    this.emit('close');
  }
}

const connect = (call: RollCall, machine: string, line = new Line(true), told: number[] = []) => {
  call.add({ machine, socket: line, heartbeatMs: () => 1000, onNumber: (agents) => told.push(agents) });
  return { line, told };
};

test('who is connected is on the roll, once, until its last connection ends', () => {
  const call = new RollCall(() => 0);
  const first = connect(call, '7').line;
  const second = connect(call, '7').line;
  const { version } = call.roll();
  expect(call.roll().machines).toEqual(['7']);
  first.emit('close');
  expect(call.roll()).toMatchObject({ machines: ['7'], version });
  second.emit('close');
  expect(call.roll()).toMatchObject({ machines: [], version: version + 1 });
  call.close();
});

test('one that answers stays, one of which nothing comes is dropped', () => {
  const call = new RollCall(() => 0);
  const there = connect(call, '7', new Line(true)).line;
  const away = connect(call, '8', new Line(false)).line;
  vi.advanceTimersByTime(2500);
  expect(call.size).toBe(2);
  vi.advanceTimersByTime(1500);
  expect([there.ended, away.ended]).toEqual([false, true]);
  vi.advanceTimersByTime(60_000);
  expect(call.roll().machines).toEqual(['7']);
  call.close();
});

test('agents are told of their number when it has doubled', () => {
  let agents = 1;
  const call = new RollCall(() => agents);
  const { told } = connect(call, '7');
  vi.advanceTimersByTime(1000);
  agents = 2;
  vi.advanceTimersByTime(1000);
  agents = 5000;
  vi.advanceTimersByTime(1000);
  expect(told).toEqual([5000]);
  call.close();
});

test('many that are silent at once are dropped a few at a time', () => {
  const call = new RollCall(() => 0);
  const lines = Array.from({ length: 400 }, (_, machine) => connect(call, String(machine), new Line(false)).line);
  vi.advanceTimersByTime(3500);
  expect(lines.filter(({ ended }) => ended)).toHaveLength(4);
  // What was late arrives.
  for (const line of lines) line.emit('pong');
  vi.advanceTimersByTime(1000);
  expect(call.size).toBe(396);
  call.close();
});
