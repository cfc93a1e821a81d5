import { describe, expect, test } from 'vitest';
import { listeningInodes } from './holders.js';
import { parseServer, parseWorker } from './record.js';
import { portsInCommand } from './server.js';
import { workerName } from './worker.js';

const server = { pid: 4711, started: '1234', port: 20001, uiPort: 20002, version: '1.9.1', at: '2026-01-01T00:00:00Z' };

describe('records', () => {
  test('are read back as they were written', () => {
    expect(parseServer(JSON.stringify(server), 'engine.json')).toEqual(server);
    expect(
      parseWorker('{"pid": 4712, "started": "1", "buildId": "0.1.0-abc", "temporal": "a:1/default", "at": ""}')
        ?.buildId,
    ).toBe('0.1.0-abc');
  });

  test.each([
    '',
    '{"pid": 47',
    'null',
    '[]',
    JSON.stringify({ ...server, port: 0 }),
    JSON.stringify({ ...server, pid: 1 }),
  ])('of a server that are damaged are refused, since its ports must stay: %j', (text) => {
    expect(() => parseServer(text, 'engine.json')).toThrow(/engine\.json.*is damaged/);
    expect(parseWorker(text)).toBeNull();
  });
});

test('listeners are told from connections in the table of sockets', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:4E21 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 31337 1 0 100 0 0 10 0',
    '   1: 0100007F:4E21 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 31338 1 0 20 4 30 10 -1',
    '   2: 0100007F:14E2 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 31339 1 0 100 0 0 10 0',
    '',
  ].join('\n');
  expect(listeningInodes(table, 20001)).toEqual(['31337']);
  expect(listeningInodes(table, 20002)).toEqual([]);
});

test('a server of ours is known by its command line, and only on our database', () => {
  const command =
    '/c/temporal server start-dev --db-filename /d/temporal.db --namespace default --ip 127.0.0.1 --port 20001 --ui-ip 127.0.0.1 --ui-port 20002 --log-level warn';
  expect(portsInCommand(command, '/d/temporal.db')).toEqual({ port: 20001, uiPort: 20002 });
  expect(portsInCommand(command, '/other/temporal.db')).toBeNull();
  expect(portsInCommand('sqlite3 /d/temporal.db', '/d/temporal.db')).toBeNull();
});

test('every Temporal has a worker of its own', () => {
  const names = [
    workerName(null),
    workerName({ address: 'a:7233', namespace: 'default' }),
    workerName({ address: 'a:7233', namespace: 'other' }),
  ];
  expect(new Set(names).size).toBe(3);
  expect(workerName({ address: 'a:7233', namespace: 'default' })).toBe(names[1]);
});
