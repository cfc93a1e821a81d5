import { expect, test } from 'vitest';
import { mongodArchive, nodeArchive, sha256In } from './official.js';

const SUM = 'ab'.repeat(32);

test.each([
  ['a sum alone', `${SUM}\n`, 'any.tgz', SUM],
  ['a sum with its file', `${SUM}  a.tgz\n`, 'a.tgz', SUM],
  ['one of many', `${'cd'.repeat(32)}  b.tar.gz\n${SUM}  a.tar.gz\n`, 'a.tar.gz', SUM],
  ['none of many', `${SUM}  a.tar.gz\n${SUM}  b.tar.gz\n`, 'c.tar.gz', null],
  ['a page that is none', '<html>', 'a.tar.gz', null],
])('the published sum of a file: %s', (_, text, file, sum) => {
  expect(sha256In(text, file)).toBe(sum);
});

test('the makers’ archives for a kind of processor and a system', async () => {
  expect(nodeArchive('v20.20.2', 'arm64')).toMatchObject({
    url: 'https://nodejs.org/dist/v20.20.2/node-v20.20.2-linux-arm64.tar.gz',
    sha256Url: 'https://nodejs.org/dist/v20.20.2/SHASUMS256.txt',
  });
  const { url, sha256Url } = await mongodArchive({ os: 'linux', dist: 'debian', release: '12' }, 'x64');
  expect(url).toMatch(/^https:\/\/fastdl\.mongodb\.org\/linux\/mongodb-linux-x86_64-debian12-\d/);
  expect(sha256Url).toBe(`${url}.sha256`);
  const amazon = await mongodArchive({ os: 'linux', dist: 'amzn', release: '2023' }, 'arm64');
  expect(amazon.url).toMatch(/mongodb-linux-aarch64-amazon2023-\d/);
});
