import { expect, test } from 'vitest';
import { AddressBook, dialledOf, formerAfter } from './address-book.js';

const set = (version: number, ...addresses: string[]) => ({
  version,
  servers: addresses.map((api, machine) => ({ machine: String(machine), api, mongo: '' })),
});

test('who answered goes to the front, who failed to the end', () => {
  const book = new AddressBook(['a:1', 'b:1', 'c:1', 'a:1']);
  book.toFront('c:1');
  expect(book.addresses).toEqual(['c:1', 'a:1', 'b:1']);
  book.toEnd('a:1');
  expect(book.addresses).toEqual(['c:1', 'b:1', 'a:1']);
  book.toEnd('unknown:1');
  book.toFront('unknown:1');
  expect(book.addresses).toEqual(['c:1', 'b:1', 'a:1']);
});

test('a newer set replaces the known one; who stays keeps its place', () => {
  const book = new AddressBook(['c:1', 'a:1', 'b:1'], 4);
  expect(book.use(set(5, 'a:1', 'd:1', 'c:1'))).toBe(true);
  expect(book.addresses).toEqual(['c:1', 'a:1', 'd:1']);
});

test('an older, the same or an empty set changes nothing', () => {
  const book = new AddressBook(['a:1'], 4);
  expect(book.use(set(3, 'b:1'))).toBe(false);
  expect(book.use(set(4, 'b:1'))).toBe(false);
  expect(book.use(set(5))).toBe(false);
  expect(book.addresses).toEqual(['a:1']);
});

test('a server with an address outside of its network is tried at both, inside first', () => {
  const book = new AddressBook(['a:1'], 4);
  const servers = [
    { machine: '0', api: 'a:1', mongo: '', public: 'x:1' },
    { machine: '1', api: 'b:1', mongo: '' },
  ];
  expect(dialledOf({ servers })).toEqual(['a:1', 'x:1', 'b:1']);
  expect(book.use({ version: 5, servers })).toBe(true);
  expect(book.addresses).toEqual(['a:1', 'x:1', 'b:1']);
});

test('those of earlier sets are remembered, the latest first and not too many', () => {
  const book = new AddressBook(['a', 'b', 'c'], 1, ['z']);
  book.use(set(2, 'a'));
  expect(book.former).toEqual(['b', 'c', 'z']);
  book.use(set(3, 'b', 'd'));
  expect(book.former).toEqual(['a', 'c', 'z']);
  expect(formerAfter(['1', '2', '3', '4', '5', '6', '7'], ['8'], ['9'])).toEqual(['8', '1', '2', '3', '4', '5', '6']);
});
