import { expect, test } from 'vitest';
import { type PortRule, parsePorts } from '../../../machines/ports.js';
import { changesTo, portsOf } from './table.js';

const rule = (ports: string): PortRule => ({ ...parsePorts(ports), cidrs: ['0.0.0.0/0'] });
const keys = (ports: readonly { readonly key: string }[]) => ports.map(({ key }) => key);

test('ranges are ports one by one', () => {
  expect(keys(portsOf([rule('80'), rule('53-55/udp')]))).toEqual(['tcp/80', 'udp/53', 'udp/54', 'udp/55']);
});

test('what is not wanted is closed, what is there is kept, the rest is opened', () => {
  const { close, keep, begin } = changesTo(new Set(['tcp/79', 'tcp/80', 'udp/80']), [rule('80-82')]);
  expect(close).toEqual(['tcp/79', 'udp/80']);
  expect(keys(keep)).toEqual(['tcp/80']);
  expect(keys(begin)).toEqual(['tcp/81', 'tcp/82']);
});

test('nothing wanted closes everything', () => {
  expect(changesTo(new Set(['tcp/80']), [])).toEqual({ close: ['tcp/80'], keep: [], begin: [] });
});
