import { expect, test } from 'vitest';
import { controllerZones, placed, whyNotOffered } from './controller-constraints.js';
import type { EnvironmentDocument } from './documents.js';

const small = { name: 'small', cores: 1, memMiB: 1024, diskGiB: 8 };
const large = { name: 'large', cores: 4, memMiB: 8192, diskGiB: 32 };
const environment = { zones: ['a', 'b', 'c'], instanceTypes: [small, large] } as unknown as EnvironmentDocument;

test.each([
  [undefined, ['a', 'b', 'c']],
  ['', ['a', 'b', 'c']],
  ['mem=2G', ['a', 'b', 'c']],
  ['zone=c,a', ['a', 'c']],
  // A zone that the cloud does not have any more must not leave a lost controller without a successor.
  ['zone=gone', ['a', 'b', 'c']],
])('%s leaves new controllers the zones %j', (stored, zones) => {
  expect(controllerZones(environment, stored)).toEqual(zones);
});

test('a new controller is of the smallest type that meets them; without any the cloud chooses', () => {
  const offer = { zones: environment.zones, types: [small, large] };
  expect(placed({ memMiB: 2048 }, offer)).toEqual({ constraints: { memMiB: 2048 }, instanceType: 'large' });
  expect(placed({}, offer)).toEqual({});
});

test('what nobody can meet is told with what comes nearest', () => {
  expect(whyNotOffered(environment, 'cores=2')).toBeNull();
  expect(whyNotOffered(environment, 'cores=64')).toEqual({
    message: 'No instance type of the cloud meets cores=64.',
    todo: expect.stringMatching(/^Nearest comes large /),
  });
});
