import { Timestamp } from 'mongodb';
import { beforeEach, describe, expect, test } from 'vitest';
import { CUT_OFF_MS, PrimaryView } from './primary-view.js';

let now = 0;
let written = 0;
let view: PrimaryView;
beforeEach(() => {
  now = 1000;
  view = new PrimaryView(() => now);
  view.see('m1:1');
});

const hello = (primary: string | undefined) => ({
  secondary: true,
  ...(primary && { primary }),
  lastWrite: { opTime: { ts: new Timestamp({ t: written, i: 1 }), t: 1 } },
});
/** So many seconds, in each of which member 2 answers `hello`. */
function pass(seconds: number, primary: string | undefined, writes: boolean): void {
  for (let n = 0; n < seconds * 2; n += 1) {
    now += 500;
    if (writes) written += 1;
    view.hear('m2:1', hello(primary));
  }
}

describe('cut off from the primary', () => {
  test('is who reaches none, while a member that it reaches names one and receives its writes', () => {
    view.see(null);
    pass(CUT_OFF_MS / 1000 - 0.5, 'm1:1', true);
    expect(view.cutOffFrom).toBeNull();
    pass(0.5, 'm1:1', true);
    expect(view.cutOffFrom).toBe('m1:1');
    view.see('m1:1');
    expect(view.cutOffFrom).toBeNull();
  });

  test('is nobody while it is reached, or when it has frozen and is still named', () => {
    pass(60, 'm1:1', true);
    expect(view.cutOffFrom).toBeNull();
    view.see(null);
    // What was under way is copied; nothing comes after it.
    pass(1, 'm1:1', true);
    pass(60, 'm1:1', false);
    expect(view.cutOffFrom).toBeNull();
  });

  test('is nobody where there is none', () => {
    view.see(null);
    pass(60, undefined, true);
    expect(view.cutOffFrom).toBeNull();
  });

  test('is nobody any more when that one is lost to the others too', () => {
    view.see(null);
    pass(20, 'm1:1', true);
    expect(view.cutOffFrom).toBe('m1:1');
    pass(CUT_OFF_MS / 1000, undefined, false);
    expect(view.cutOffFrom).toBeNull();
  });

  test('counts from the start for a process that never reached one, and anew each time', () => {
    view = new PrimaryView(() => now);
    pass(20, 'm1:1', true);
    expect(view.cutOffFrom).toBe('m1:1');
    view.see('m2:1');
    view.see(null);
    pass(CUT_OFF_MS / 1000 - 0.5, 'm1:1', true);
    expect(view.cutOffFrom).toBeNull();
  });
});

test('one that has frozen is still named, until the others elect another or name none', () => {
  pass(1, 'm1:1', true);
  expect(view.namedByOthers).toBeNull();
  view.see(null);
  pass(1, 'm1:1', false);
  expect([view.namedByOthers, view.cutOffFrom]).toEqual(['m1:1', null]);
  pass(3, undefined, false);
  expect(view.namedByOthers).toBeNull();
});

test('listeners hear of another primary, not of the same one again while it is reached', () => {
  const heard: string[] = [];
  const stop = view.onPrimary((host) => heard.push(host));
  for (const host of ['m1:1', 'm2:1', null, 'm2:1', 'm2:1']) view.see(host);
  stop();
  view.see('m3:1');
  expect(heard).toEqual(['m2:1', 'm2:1']);
});
