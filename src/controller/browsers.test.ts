import { describe, expect, test } from 'vitest';
import { bearerOf, spokenProtocol } from './browsers.js';
import { originOf } from './origins.js';

describe('what a page’s WebSocket offers', () => {
  test('its token stands behind a prefix, wherever in the list', () => {
    expect(bearerOf('quorate.watch, quorate.bearer.qrt_abc-_1')).toBe('qrt_abc-_1');
    expect(bearerOf('quorate.bearer.x')).toBe('x');
    expect(bearerOf('quorate.watch')).toBeNull();
    expect(bearerOf(undefined)).toBeNull();
  });

  test('the answer never repeats the token', () => {
    expect(spokenProtocol(new Set(['quorate.bearer.secret', 'quorate.watch']))).toBe('quorate.watch');
    expect(spokenProtocol(new Set(['quorate.bearer.secret']))).toBe(false);
  });
});

test('an origin is what a browser sends: without the port where that is the scheme’s own', () => {
  expect(originOf('127.0.1.1:17070')).toBe('https://127.0.1.1:17070');
  expect(originOf('10.0.0.1:443')).toBe('https://10.0.0.1');
});
