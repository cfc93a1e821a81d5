import { expect, test } from 'vitest';
import { missingParameters, mongodArguments, PARAMETERS, refusedParameter } from './parameters.js';

const options = {
  dataDirectory: '/d',
  logFile: '/l',
  address: '127.1.2.3',
  port: 37017,
  certificateKeyFile: '/m.pem',
  caFile: '/ca.crt',
};

test('mongod speaks TLS only and knows members and clients by certificate', () => {
  const line = mongodArguments(options).join(' ');
  expect(line).toContain('--tlsMode requireTLS');
  expect(line).toContain('--clusterAuthMode x509');
  expect(line).toContain('--setParameter oplogNetworkTimeoutBufferSeconds=1');
  expect(line).not.toContain('wiredTiger');
  expect(mongodArguments({ ...options, cacheMb: 256 }).join(' ')).toContain('--wiredTigerCacheSizeGB 0.25');
});

test('a start parameter that this mongod refused is left out the next time', () => {
  const log = `{"attr":{"error":{"code":2,"errmsg":"Unknown --setParameter 'oplogNetworkTimeoutBufferSeconds'"}}}`;
  const refused = refusedParameter(log);
  expect(refused).toBe('oplogNetworkTimeoutBufferSeconds');
  const line = mongodArguments({ ...options, without: [refused as string] }).join(' ');
  expect(line).not.toContain(refused);
  expect(line).toContain('--setParameter opensslCipherConfig=ECDHE+AESGCM:ECDHE+CHACHA20');
  expect(refusedParameter("Unknown --setParameter 'somebodyElses'")).toBeNull();
  expect(refusedParameter('Address already in use')).toBeNull();
});

test('what a mongod lacks is told with what it costs', () => {
  const all = Object.fromEntries(PARAMETERS.map(({ name }) => [name, 'set']));
  expect(missingParameters(all)).toEqual([]);
  const lacking = missingParameters({ ...all, changeSyncSourceThresholdMillis: 'mongod refused it' });
  expect(lacking).toEqual([
    { parameter: 'changeSyncSourceThresholdMillis', cost: expect.stringContaining('delays writes') },
  ]);
});
