import { describe, expect, test } from 'vitest';
import { type RemovalSeen, removalOf } from './removal.js';

type Change = Partial<Omit<RemovalSeen, 'machine'>> & { readonly machine?: Partial<RemovalSeen['machine']> };
const seen = ({ machine, ...rest }: Change = {}): RemovalSeen => ({
  machine: { id: '3', life: 'alive', jobs: ['host-units'], instance: 'running', ...machine },
  heard: true,
  votes: false,
  controllers: ['0'],
  force: false,
  ...rest,
});

test('one whose agent was heard has it finish first', () => {
  expect(removalOf(seen())).toBe('dying');
  expect(removalOf(seen({ machine: { instance: 'stopped' } }))).toBe('dying');
});

test('where nothing is left to finish, or nobody is to wait, it is dead at once', () => {
  expect(removalOf(seen({ force: true }))).toBe('dead');
  expect(removalOf(seen({ heard: false }))).toBe('dead');
  expect(removalOf(seen({ machine: { instance: null } }))).toBe('dead');
  expect(removalOf(seen({ machine: { instance: 'terminated' } }))).toBe('dead');
  expect(removalOf(seen({ machine: { life: 'dying' }, force: true }))).toBe('dead');
});

describe('refused, with what to type instead', () => {
  const controller = { jobs: ['manage-state', 'manage-environ'] as const };
  test.each<[string, Change, string, RegExp, RegExp]>([
    ['twice', { machine: { life: 'dying' } }, 'machine-not-alive', /is dying already/, /remove-machine 3 --force/],
    ['dead', { machine: { life: 'dead' }, force: true }, 'machine-not-alive', /is dead already/, /quorate machines/],
    ['the only controller', { machine: controller, force: true }, 'is-controller', /only controller/, /enable-ha/],
    [
      'one of three',
      { machine: controller, controllers: ['0', '3', '4'], votes: true },
      'is-controller',
      /is a controller/,
      /replace 3 .*disable-ha --keep 0$/,
    ],
    [
      'one of five that hosts units too',
      { machine: { jobs: [...controller.jobs, 'host-units'] }, controllers: ['0', '1', '2', '3', '4'] },
      'is-controller',
      /is a controller/,
      /enable-ha -n 3, then: quorate remove-machine 3$/,
    ],
    ['a voter that is none', { votes: true, force: true }, 'is-controller', /still votes/, /enable-ha/],
    [
      'a controller on its way out',
      { machine: { life: 'dying', jobs: [] }, force: true },
      'is-controller',
      /its change ends it/,
      /status/,
    ],
  ])('%s', (_, change, code, message, todo) => {
    expect(() => removalOf(seen(change))).toThrow(
      expect.objectContaining({
        code,
        message: expect.stringMatching(message),
        todo: expect.stringMatching(todo),
      }),
    );
  });
});
