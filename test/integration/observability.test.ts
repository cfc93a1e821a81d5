import { randomBytes, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LogLine } from '../../src/api/log.js';
import type { Status } from '../../src/api/status.js';
import type { TlsFiles } from '../../src/client/client.js';
import { parseLine } from '../../src/log/line.js';
import { exchange, type Target, TestSocket } from '../support/calls.js';
import { TestEnvironment } from '../support/environment.js';
import { figureOf, type Sample, samplesOf } from '../support/exposition.js';
import { until } from '../support/home.js';

let environment: TestEnvironment;
let status: Status;
let operator: TlsFiles;
let reader: string;
const canary = () => `c4n4ry${randomBytes(20).toString('hex')}`;

beforeAll(async () => {
  environment = await TestEnvironment.bootstrap(1);
  status = await environment.status();
  operator = (await environment.store.credentials('demo')) as TlsFiles;
  const token = { body: { user: 'prometheus', role: 'read', days: 1 }, idempotencyKey: randomUUID() };
  reader = (await environment.client.request<{ token: string }>('POST', '/v1/tokens', token)).body.token;
});
afterAll(() => environment?.close());

function target(more: Partial<Target> = {}): Target {
  return { address: status.controllers[0]?.api ?? '', environment: status.environment.uuid, tls: operator, ...more };
}

/** As a scraper logs in: by its token, without a certificate. */
const scraper = () => target({ tls: { ca: operator.ca }, token: reader });

async function scrape(): Promise<Sample[]> {
  const { status: answered, body, headers } = await exchange(scraper(), 'GET', '/metrics');
  expect(answered).toBe(200);
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  return samplesOf(String(body.text));
}

const instanceDirectory = async () =>
  path.join(environment.store.dirs.localCloud, status.environment.uuid, await environment.instanceOf('0'));

/** What is in the logs of the machine, by file. */
async function logs(): Promise<Map<string, string>> {
  const directory = await instanceDirectory();
  const log = path.join(directory, 'disk', 'log');
  const files = [path.join(directory, 'console.log'), ...readdirSync(log).map((name) => path.join(log, name))];
  return new Map(files.map((file) => [path.basename(file), readFileSync(file, 'utf8')]));
}

describe('metrics', () => {
  test('hold what the controller sees, and what its worker counts', async () => {
    const samples = await until('the worker’s figures and the agent’s report', async () => {
      const now = await scrape();
      const whole =
        now.some(({ name }) => name === 'temporal_activity_execution_latency_seconds_count') &&
        figureOf(now, 'quorate_service_running', { service: 'worker' }) === 1;
      return whole ? now : null;
    });
    const value = (name: string, labels?: Record<string, string>) => figureOf(samples, name, labels);
    expect(value('quorate_replica_set_term')).toBeGreaterThanOrEqual(1);
    expect(value('quorate_elections_total')).toBeGreaterThanOrEqual(0);
    expect(value('quorate_primary_seen')).toBe(1);
    expect(value('quorate_member_state', { machine: '0', state: 'PRIMARY' })).toBe(1);
    expect(value('quorate_member_lag_seconds', { machine: '0' })).toBe(0);
    expect([value('quorate_voters'), value('quorate_voters_healthy'), value('quorate_fault_tolerance')]).toEqual([
      1, 1, 0,
    ]);
    expect(value('quorate_successions_stood_up_total', { machine: '0' })).toBe(0);
    expect(value('quorate_successions_freed_total', { machine: '0' })).toBe(0);
    expect(value('quorate_succession_off', { machine: '0' })).toBe(0);
    expect(value('quorate_presence_age_seconds', { machine: '0' })).toBeLessThan(5);
    expect(value('quorate_agents_connected')).toBe(1);
    expect(value('quorate_sockets', { kind: 'agent' })).toBe(1);
    expect(value('quorate_address_set_version')).toBeGreaterThanOrEqual(1);
    expect(value('quorate_worker_metrics_up')).toBe(1);
    expect(value('temporal_activity_schedule_to_start_latency_seconds_count')).toBeGreaterThan(0);
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(1e6);
    const labels = { method: 'PUT', route: '/v1/settings/:key', status: '200' };
    expect(value('quorate_api_request_duration_seconds_count', labels)).toBeGreaterThan(0);
    // A URL in a label would be a figure of its own for everything that anybody asks for.
    expect(samples.filter(({ labels: { route = '' } }) => /settings\/x-/.test(route))).toEqual([]);
  });

  test('count the watches that are open', async () => {
    const watch = await TestSocket.open(target(), '/v1/watch');
    await until('the watch', async () => figureOf(await scrape(), 'quorate_sockets', { kind: 'watch' }) === 1);
    watch.socket.close();
    await until('its end', async () => figureOf(await scrape(), 'quorate_sockets', { kind: 'watch' }) === 0);
  });

  test('count an election', async () => {
    const before = await scrape();
    process.kill(await environment.pidOf('0', 'mongod'), 'SIGKILL');
    const term = figureOf(before, 'quorate_replica_set_term') ?? 0;
    const after = await until('a primary of a higher term', async () => {
      const now = await scrape();
      return (figureOf(now, 'quorate_replica_set_term') ?? 0) > term ? now : null;
    });
    const elections = (samples: Sample[]) => figureOf(samples, 'quorate_elections_total') ?? 0;
    const terms = (figureOf(after, 'quorate_replica_set_term') ?? 0) - term;
    expect(elections(after) - elections(before)).toBe(terms);
    await environment.writesGoOn();
  });

  test('need a login', async () => {
    const nobody = target({ tls: { ca: operator.ca } });
    expect((await exchange(nobody, 'GET', '/metrics')).status).toBe(401);
    expect((await exchange(target({ tls: { ca: operator.ca }, token: canary() }), 'GET', '/metrics')).status).toBe(401);
    expect((await exchange(target(), 'GET', '/metrics')).status).toBe(200);
  });
});

describe('logs', () => {
  test('are lines of JSON that say when, how grave, who and where', async () => {
    const written = await logs();
    for (const [file, program] of [
      ['api.log', 'api'],
      ['console.log', 'agent'],
      ['worker.log', 'worker'],
    ] as const) {
      const lines = (written.get(file) ?? '').split('\n').filter((line) => line !== '');
      const read = lines.map((line) => [line, parseLine(line)] as const);
      // The start script is no program of ours; it says little, in words.
      const others = read.filter(([line, parsed]) => parsed === null && !line.startsWith('quorated-init:'));
      expect(others, file).toEqual([]);
      for (const [, line] of read) if (line) expect(line).toMatchObject({ program, machine: '0', environment: 'demo' });
    }
    expect(written.get('api.log')).toContain('"API of machine 0 on ');
    expect(written.get('console.log')).toContain('"connected to machine 0 at ');
  });

  test('name a request as its answer does', async () => {
    const given = `test-${randomUUID()}`;
    const nobody = target({ tls: { ca: operator.ca } });
    const first = await exchange(nobody, 'GET', '/v1/status?token=x', { headers: { 'x-request-id': given } });
    expect(first).toMatchObject({ status: 401, headers: { 'x-request-id': given } });
    const second = await exchange(nobody, 'GET', '/v1/machines', { headers: { 'x-request-id': 'two words' } });
    const made = String(second.headers['x-request-id']);
    expect(made).toMatch(/^[0-9a-f-]{36}$/);
    const lines = ((await logs()).get('api.log') ?? '').split('\n').flatMap((line) => parseLine(line) ?? []);
    const of = (id: string) => lines.filter(({ requestId }) => requestId === id).map(({ details }) => details);
    expect(of(given)).toEqual([{ method: 'GET', path: '/v1/status', status: 401, ms: expect.any(Number) }]);
    expect(of(made)).toEqual([{ method: 'GET', path: '/v1/machines', status: 401, ms: expect.any(Number) }]);
  });

  test('are text for people on the console of the control panel', async () => {
    const text = await environment.home.ok('cloud', 'log', '0');
    expect(text).toMatch(/^\S+Z INFO {2}agent 0: mongod runs as \d+$/m);
  });

  test('hold no reads that went well', async () => {
    const given = `test-${randomUUID()}`;
    await exchange(target(), 'GET', '/v1/status', { headers: { 'x-request-id': given } });
    expect((await logs()).get('api.log')).not.toContain(given);
  });
});

describe('debug-log', () => {
  const debugLog = async (...args: string[]) =>
    (await environment.home.ok('debug-log', '--format', 'json', ...args))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as LogLine);

  test('merges the programs of a controller by time', async () => {
    const lines = await debugLog('-n', '2000', '--level', 'debug');
    const times = lines.map(({ time }) => time);
    expect(times).toEqual([...times].sort());
    expect([...new Set(lines.map(({ program }) => program))].sort()).toEqual(
      expect.arrayContaining(['agent', 'api', 'mongod']),
    );
    expect(lines.filter(({ component }) => component === 'ELECTION').length).toBeGreaterThan(0);
    expect(lines.some(({ msg }) => msg.startsWith('API of machine 0 on '))).toBe(true);
  });

  test('shows what is asked for', async () => {
    const grave = await debugLog('--level', 'warn');
    expect(grave.filter(({ level }) => !['warn', 'error', 'fatal'].includes(level))).toEqual([]);
    expect(await debugLog('-n', '3')).toHaveLength(3);
    expect(await debugLog('--machine', '0', '-n', '1')).toHaveLength(1);
    const recent = await debugLog('--since', '20s', '-n', '2000');
    // Some seconds for the command itself.
    expect(recent.filter(({ time }) => Date.parse(time) < Date.now() - 60_000)).toEqual([]);
    const unknown = await environment.home.run('debug-log', '--machine', '7');
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    expect(unknown.stderr).toContain('machine 7 is no controller.\nControllers are: 0.');
  });

  test('shows what comes within a second', async () => {
    const { child, done } = environment.home.start('debug-log', '--follow', '-n', '1');
    let shown = '';
    child.stdout?.on('data', (chunk) => {
      shown += chunk;
    });
    await until('its first line', async () => shown.includes('\n'));
    const given = `follow-${randomUUID()}`;
    const began = performance.now();
    await exchange(target({ tls: { ca: operator.ca } }), 'GET', '/v1/status', { headers: { 'x-request-id': given } });
    await until('the line', async () => shown.includes(given), 10, 10);
    console.log(`a line was shown ${Math.round(performance.now() - began)} ms after it was caused`);
    child.kill('SIGINT');
    expect(await done).toMatchObject({ code: 0, stderr: '' });
  });

  test('tells what an agent says of a service that died', async () => {
    process.kill(await environment.pidOf('0', 'worker'), 'SIGKILL');
    const ended = await until('the agent’s word on it', async () =>
      (await debugLog('--level', 'warn')).find(({ msg }) => msg.startsWith('worker ended with SIGKILL')),
    );
    expect(ended).toMatchObject({ program: 'agent', machine: '0', level: 'warn' });
  });

  test('is for administrators', async () => {
    expect((await exchange(scraper(), 'GET', '/v1/log')).status).toBe(403);
    expect((await exchange(target({ tls: { ca: operator.ca } }), 'GET', '/v1/log')).status).toBe(401);
    expect((await exchange(target(), 'GET', '/v1/log?limit=2001')).status).toBe(400);
    expect((await exchange(target(), 'GET', '/v1/log?after=..%2F..%2Fetc&limit=1')).status).toBe(200);
  });
});

test('no secret is in a log, in the debug log or in the figures', async () => {
  const secrets = { header: canary(), query: canary(), body: canary(), reader };
  await exchange(
    target({ tls: { ca: operator.ca }, token: secrets.header }),
    'GET',
    `/v1/status?password=${secrets.query}`,
  );
  await exchange(target(), 'POST', '/v1/tokens', { raw: `{"token": "${secrets.body}", `, key: randomUUID() });
  await exchange(target(), 'POST', '/v1/tokens', { body: { password: secrets.body }, key: randomUUID() });
  const directory = path.join(await instanceDirectory(), 'disk', 'controller');
  const bootKey = readFileSync(path.join(directory, 'boot.key'), 'utf8').trim();
  const caKey = readFileSync(path.join(directory, 'ca.key'), 'utf8').split('\n')[1] ?? '';
  expect(Math.min(bootKey.length, caKey.length)).toBeGreaterThan(20);
  const told = new Map([
    ...(await logs()),
    ['debug-log', await environment.home.ok('debug-log', '--level', 'trace', '-n', '2000')],
    ['metrics', String((await exchange(target(), 'GET', '/metrics')).body.text)],
  ]);
  for (const [where, text] of told) {
    for (const [what, secret] of Object.entries({ ...secrets, bootKey, caKey })) {
      expect(text.includes(secret), `${what} in ${where}`).toBe(false);
    }
    expect(text.includes('PRIVATE KEY'), where).toBe(false);
  }
});
