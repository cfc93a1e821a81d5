import { describe, expect, test } from 'vitest';
import { bootFault, bootProgress } from './console.js';

const HOOK = '[   11.20] cloud-init[612]: quorate-boot: STEP begin: release 0.1.0-ab is laid out\r\n';
const SYSTEM = '\x1b[0;32m[   12.3] quorate-boot[700]: quorate-boot: STEP system: Debian, x86_64\x1b[0m\r\n';
const METADATA = 'quorate-boot: STEP metadata: instance i-1 in a has 10.0.0.1\n';
const NO_NODE = '[ 14.0] quorate-boot[700]: quorate-boot: FAILED node: https://a/b answered 404 Not Found\n';

describe('how far a boot is', () => {
  test('nothing, on a console that knows nothing of it', () => {
    expect(bootProgress('Linux version 6.1\nquorate-bootstrap: STEP x: y\n')).toEqual({
      steps: [],
      failed: null,
      done: false,
    });
  });

  test('its steps, whatever stands before them and between', () => {
    expect(bootProgress(`${HOOK}sshd started\n${SYSTEM}${METADATA}`)).toEqual({
      steps: [
        { name: 'begin', said: 'release 0.1.0-ab is laid out' },
        { name: 'system', said: 'Debian, x86_64' },
        { name: 'metadata', said: 'instance i-1 in a has 10.0.0.1' },
      ],
      failed: null,
      done: false,
    });
  });

  test('what failed stays until a run comes past it', () => {
    const failed = { step: 'node', reason: 'https://a/b answered 404 Not Found' };
    const first = HOOK + SYSTEM + METADATA + NO_NODE;
    expect(bootProgress(first)).toMatchObject({ failed, done: false });
    const second = first + SYSTEM + METADATA;
    expect(bootProgress(second)).toMatchObject({ failed, steps: { length: 3 } });
    const past = `${second}quorate-boot: STEP node: 40 MB\n`;
    expect(bootProgress(past)).toMatchObject({ failed: null, steps: { length: 4 }, done: false });
  });

  test('done, until a later boot says otherwise', () => {
    const up = `${HOOK}${SYSTEM}${NO_NODE}${SYSTEM}quorate-boot: DONE\n`;
    expect(bootProgress(up)).toMatchObject({ failed: null, done: true });
    expect(bootProgress(up + HOOK)).toEqual({
      steps: [{ name: 'begin', said: 'release 0.1.0-ab is laid out' }],
      failed: null,
      done: false,
    });
    const full = `${up}quorate-boot: FAILED begin: cat: write error: No space left on device\n`;
    expect(bootProgress(full)).toMatchObject({ failed: { step: 'begin' }, done: false });
  });

  test('a line that is still being written says nothing', () => {
    expect(bootProgress('quorate-boot: STEP nod').steps).toEqual([]);
  });
});

test.each([
  [HOOK, null],
  [NO_NODE, 'The instance boots and cannot get Node: https://a/b answered 404 Not Found.'],
  ['quorate-boot: FAILED later: it broke.', 'The instance boots and cannot do its step later: it broke.'],
])('a fault is a sentence', (console, sentence) => {
  expect(bootFault(console)).toBe(sentence);
});
