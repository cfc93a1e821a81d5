import { expect, test } from 'vitest';
import { checksAnswer, consoleAnswer, madeInstances, retold } from '../support/booting/answers.js';

/** As moto writes an instance: its ID stands after what else has an address, its state after its ID. */
const item = (id: string, address: string, code: string) =>
  `<item><architecture>x86_64</architecture><networkInterfaceSet><item><privateIpAddress>${address}</privateIpAddress></item></networkInterfaceSet>` +
  `<stateReason><code>${code}</code><message>${code}: it says so</message></stateReason><instanceId>${id}</instanceId>` +
  `<instanceState><code>80</code><name>stopped</name></instanceState><placement><availabilityZone>eu-west-1b</availabilityZone></placement>` +
  `<privateIpAddress>${address}</privateIpAddress></item>`;
const USER = 'Client.UserInitiatedShutdown';
const two = `<r><item>${item('i-1', '10.0.0.4', USER)}</item><item>${item('i-2', '10.0.0.5', USER)}</item></r>`;

test('what was made is read from the answer', () => {
  expect(madeInstances(two)).toEqual([
    { id: 'i-1', address: '10.0.0.4', zone: 'eu-west-1b' },
    { id: 'i-2', address: '10.0.0.5', zone: 'eu-west-1b' },
  ]);
});

test('an instance that is on its way is shown so, one that ended itself did, and nothing else changes', () => {
  expect(retold(two, () => null)).toBe(two);
  const told = retold(two, (id) => ({ state: id === 'i-2' ? 'stopping' : null, endedItself: id === 'i-1' }));
  const self = 'Client.InstanceInitiatedShutdown';
  const second = item('i-2', '10.0.0.5', USER).replace(
    '<code>80</code><name>stopped</name>',
    '<code>64</code><name>stopping</name>',
  );
  expect(told).toBe(`<r><item>${item('i-1', '10.0.0.4', self)}</item><item>${second}</item></r>`);
});

test('a console has the last of what was printed', () => {
  const answer = (output: string) => `<r><instanceId>i-1</instanceId><output>${output}</output></r>`;
  expect(consoleAnswer(answer('made up'), 'hello')).toBe(answer(Buffer.from('hello').toString('base64')));
  expect(consoleAnswer('<r><output/></r>', 'x')).toBe('<r><output>eA==</output></r>');
  const long = consoleAnswer(answer(''), `first${'x'.repeat(70_000)}last`);
  const shown = Buffer.from(/<output>(.*)<\/output>/.exec(long)?.[1] ?? '', 'base64').toString();
  expect([shown.length, shown.endsWith('last'), shown.includes('first')]).toEqual([65_536, true, false]);
});

test('checks are impaired of whom it was said', () => {
  const item = (id: string) =>
    `<item><instanceId>${id}</instanceId><instanceStatus><status>ok</status></instanceStatus></item>`;
  const answer = `<r><requestId>q</requestId><instanceStatusSet>${item('i-1')}${item('i-2')}</instanceStatusSet></r>`;
  const told = checksAnswer(answer, new Set(['i-2']));
  expect(told).toMatch(/^<r><requestId>q<\/requestId><instanceStatusSet><item><instanceId>i-1</);
  expect(told.split('<item>').map((text) => /<systemStatus><status>(\w+)</.exec(text)?.[1])).toEqual([
    undefined,
    'ok',
    'impaired',
  ]);
});
