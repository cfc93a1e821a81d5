import { expect, test } from 'vitest';
import { leftoversAmong } from './leftover.js';

const instance = (id: string, machine: string, nonce: string) => ({ id, machine, nonce });
const owner = (_id: string, nonce: string, id: string | null) => ({
  _id,
  nonce,
  instance: id === null ? null : { id },
});
const ids = (...given: Parameters<typeof leftoversAmong>) => leftoversAmong(...given).map(({ id }) => id);

test('what a document names is nobody else’s, also while its start is not written down yet', () => {
  const machines = [owner('1', 'n1', 'i-1'), owner('2', 'n2', null)];
  expect(ids([instance('i-1', '1', 'n1'), instance('i-2', '2', 'n2')], machines, 3)).toEqual([]);
});

test('the machine was forgotten, its nonce is not the document’s, or the document has another instance', () => {
  const machines = [owner('1', 'n1', 'i-1')];
  const all = [instance('i-old', '0', 'n0'), instance('i-other', '1', 'n9'), instance('i-twice', '1', 'n1')];
  expect(ids(all, machines, 2)).toEqual(['i-old', 'i-other', 'i-twice']);
});

test('an ID that was never given out says that documents were lost: it is left alone', () => {
  expect(ids([instance('i-7', '7', 'n7'), instance('i-x', 'x', 'nx')], [], 7)).toEqual([]);
  expect(ids([instance('i-6', '6', 'n6')], [], 7)).toEqual(['i-6']);
});
