import { expect, test } from 'vitest';
import { s3ObjectAt, s3Url } from './s3-url.js';

test.each([
  [
    { region: 'eu-west-1', endpoint: null, bucket: 'quorate-1', key: 'addresses.json' },
    'https://quorate-1.s3.eu-west-1.amazonaws.com/addresses.json#s3=eu-west-1',
  ],
  [
    { region: 'cn-north-1', endpoint: null, bucket: 'quorate-1', key: 'parts/a.tar.gz' },
    'https://quorate-1.s3.cn-north-1.amazonaws.com.cn/parts/a.tar.gz#s3=cn-north-1',
  ],
  [
    { region: 'eu-west-1', endpoint: 'http://10.0.0.1:9000', bucket: 'quorate-1', key: 'addresses.json' },
    'http://10.0.0.1:9000/quorate-1/addresses.json#s3=eu-west-1',
  ],
])('an object’s URL says all that it is read by', (object, url) => {
  expect(s3Url(object)).toBe(url);
  expect(s3ObjectAt(new URL(url))).toEqual(object);
});

test('other URLs are not S3’s', () => {
  expect(s3ObjectAt(new URL('file:///bucket/addresses.json'))).toBe(null);
  expect(s3ObjectAt(new URL('https://quorate-1.s3.eu-west-1.amazonaws.com/addresses.json'))).toBe(null);
});
