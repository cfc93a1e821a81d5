import { describe, expect, test } from 'vitest';
import { clientProof, machineProof, type Transcript, verifyProof } from './proof.js';
import { bootToken, randomSecret } from './token.js';

const token = 'aa'.repeat(32);
const transcript: Transcript = {
  environment: 'e-1',
  machine: '0',
  clientNonce: 'client',
  machineNonce: 'machine',
  exporter: Buffer.alloc(32, 7),
  ca: '-----BEGIN CERTIFICATE-----',
};

const altered: Record<string, Transcript> = {
  environment: { ...transcript, environment: 'e-2' },
  machine: { ...transcript, machine: '1' },
  clientNonce: { ...transcript, clientNonce: 'clienu' },
  machineNonce: { ...transcript, machineNonce: 'machinf' },
  exporter: { ...transcript, exporter: Buffer.alloc(32, 8) },
  ca: { ...transcript, ca: `${transcript.ca}\n` },
  'a byte moved from one part to the next': { ...transcript, clientNonce: 'clien', machineNonce: 'tmachine' },
};

describe('the mutual proof', () => {
  test('holds for the same token and transcript', () => {
    verifyProof(machineProof(token, transcript), machineProof(token, { ...transcript }));
    verifyProof(clientProof(token, transcript, 'csr'), clientProof(token, { ...transcript }, 'csr'));
  });

  test.each(Object.entries(altered))('fails when %s is altered', (_, other) => {
    const failure = /^The other side did not prove that it knows the boot token\.$/;
    expect(() => verifyProof(machineProof(token, transcript), machineProof(token, other))).toThrow(failure);
    expect(() => verifyProof(clientProof(token, transcript, 'r'), clientProof(token, other, 'r'))).toThrow(failure);
  });

  test('fails with another token, another request, or nothing, and always says the same', () => {
    const expected = clientProof(token, transcript, 'csr');
    for (const shown of [
      clientProof('ab'.repeat(32), transcript, 'csr'),
      clientProof(token, transcript, 'other csr'),
      machineProof(token, transcript),
      '',
      'zz',
      `${expected}00`,
    ]) {
      expect(() => verifyProof(expected, shown)).toThrow('did not prove that it knows the boot token');
    }
  });
});

test('a boot token depends on the key and the nonce, and on nothing else', () => {
  const key = randomSecret();
  expect(bootToken(key, 'n')).toMatch(/^[0-9a-f]{64}$/);
  expect(bootToken(key, 'n')).toBe(bootToken(key, 'n'));
  expect(bootToken(key, 'n')).not.toBe(bootToken(key, 'm'));
  expect(bootToken(key, 'n')).not.toBe(bootToken(randomSecret(), 'n'));
});
