import { expect, test } from 'vitest';
import type { PresenceDocument } from '../src/state/documents.js';
import { PresenceWatch } from './presence-watch.js';

const beat = (machine: string, seq: number, session = 's') => ({ _id: machine, seq, session }) as PresenceDocument;

function watch() {
  let now = 0;
  const presence = new PresenceWatch(() => now);
  return (after: number, beats: PresenceDocument[], writable = true) => {
    now += after;
    return presence.look(beats, writable);
  };
}

test('silence is counted while the sequence number stands still', () => {
  const look = watch();
  expect(look(0, [beat('1', 5)]).get('1')).toBe(0);
  expect(look(500, [beat('1', 5)]).get('1')).toBe(500);
  expect(look(500, [beat('1', 5)]).get('1')).toBe(1000);
  expect(look(500, [beat('1', 6)]).get('1')).toBe(0);
});

test('a new session of the agent ends the silence, whatever its number', () => {
  const look = watch();
  look(0, [beat('1', 5, 'a')]);
  expect(look(800, [beat('1', 5, 'b')]).get('1')).toBe(0);
});

test('while nobody could write presence, nobody is silent', () => {
  const look = watch();
  look(0, [beat('1', 5)]);
  expect(look(1000, [beat('1', 5)], false).get('1')).toBe(0);
  expect(look(1000, [beat('1', 5)], true).get('1')).toBe(1000);
});

test('an observer that stood still itself accuses nobody', () => {
  const look = watch();
  look(0, [beat('1', 5)]);
  expect(look(60_000, [beat('1', 5)]).get('1')).toBe(0);
});

test('a machine that is gone is forgotten', () => {
  const look = watch();
  look(0, [beat('1', 5), beat('2', 1)]);
  expect([...look(100, [beat('2', 1)]).keys()]).toEqual(['2']);
});
