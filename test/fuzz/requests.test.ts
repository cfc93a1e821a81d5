import { describe, expect, test } from 'vitest';
import { ROUTES } from '../../src/api/routes.js';
import { seededRandom } from '../campaign/random.js';
import { mangled, spoiled } from './inputs.js';
import { requestBytes } from './requests.js';

const drawn = (seed: number, count: number, token?: string) => {
  const random = seededRandom(seed, 'test');
  const sender = { host: '127.0.0.1:1', ...(token === undefined ? {} : { token }) };
  return Array.from({ length: count }, () => requestBytes(random, sender));
};

describe('requests', () => {
  const many = drawn(1, 20_000);
  const texts = many.map(String);

  test('are the same for the same seed, and others for another one', () => {
    expect(Buffer.concat(drawn(1, 200))).toEqual(Buffer.concat(many.slice(0, 200)));
    expect(Buffer.concat(drawn(2, 200))).not.toEqual(Buffer.concat(many.slice(0, 200)));
  });

  test('go to every route, good ones among them', () => {
    for (const [name, { method, path }] of Object.entries(ROUTES)) {
      const whole = new RegExp(`^${method} ${path.replace(/:\w+/g, '[^/ ]+')}(\\?[^ ]*)? HTTP/1\\.1\\r\\nHost: 127`);
      expect(texts.filter((text) => whole.test(text)).length, name).toBeGreaterThan(10);
    }
  });

  test('log nobody out whose token they bear', () => {
    expect(
      drawn(1, 5000, 'token')
        .map(String)
        .filter((text) => text.startsWith('POST /v1/logout')),
    ).toEqual([]);
  });
});

test('what is spoiled is another value, in JSON, or none at all', () => {
  const random = seededRandom(1, 'test');
  const good = { command: ['true', 'x'], machines: ['1'], deep: { a: { b: 1 } } };
  const texts = Array.from({ length: 2000 }, () => spoiled(random, good));
  expect(new Set(texts).size).toBeGreaterThan(500);
  expect(texts.some((text) => text.includes('__proto__'))).toBe(true);
  expect(texts.some((text) => text.length > 15_000)).toBe(true);
  expect(texts.filter((text) => text === JSON.stringify(good)).length).toBeLessThan(20);
});

test('what is mangled is other bytes', () => {
  const random = seededRandom(1, 'test');
  const bytes = Buffer.from('GET /v1/ping HTTP/1.1\r\nHost: x\r\n\r\n');
  const others = Array.from({ length: 500 }, () => mangled(random, bytes));
  expect(others.filter((other) => other.equals(bytes)).length).toBeLessThan(50);
  expect(bytes.toString()).toMatch(/^GET/);
});
