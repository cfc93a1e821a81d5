import { expect, test } from 'vitest';
import { downloadLine } from '../toolchain/download.js';
import { subjects } from './servers.js';

test('away from a terminal each download is one line, however often it says how far it is', () => {
  const written: string[] = [];
  const tell = subjects((line) => written.push(line));
  tell('Downloading Temporal 1.9.1');
  for (const received of [0, 5e6, 44e6]) tell(downloadLine('Temporal 1.9.1', received, 44e6));
  for (const received of [0, 5e6]) tell(downloadLine('MongoDB 6.0.5', received, 0));
  expect(written).toEqual(['Downloading Temporal 1.9.1', 'Downloading MongoDB 6.0.5']);
});
