import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Collector, type Span } from '../support/collector.js';
import { TestEnvironment } from '../support/environment.js';
import { until } from '../support/home.js';

const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';
let collector: Collector;
let environment: TestEnvironment;

beforeAll(async () => {
  collector = await Collector.start();
  // As an operator's shell has it: everything that a command starts finds it there.
  process.env[ENDPOINT] = collector.endpoint;
  environment = await TestEnvironment.bootstrap(1);
});
afterAll(async () => {
  delete process.env[ENDPOINT];
  await environment?.close();
  collector?.close();
});

/** A span and what it belongs to, up to where its trace begins. */
function lineOf(span: Span): Span[] {
  const parent = collector.spans.find(({ spanId, traceId }) => spanId === span.parent && traceId === span.traceId);
  return parent === undefined ? [span] : [span, ...lineOf(parent)];
}

const words = (line: readonly Span[]) => line.map(({ service, name }) => `${service}: ${name}`);

/** The line of a span of that service and name; processes send what they have every five seconds. */
const lineWhen = (service: string, name: string, whole: (line: readonly Span[]) => boolean) =>
  until(
    `${name} of ${service}`,
    async () =>
      collector.spans
        .filter((span) => span.service === service && span.name === name)
        .map(lineOf)
        .find(whole),
    30,
  );

const fromBootstrap = (line: readonly Span[]) => line.at(-1)?.name === 'quorate bootstrap';

test('a change is one trace: command, workflow, activity, agent', async () => {
  const agent = await lineWhen('quorate-agent', 'POST /boot/seed', fromBootstrap);
  expect(words(agent)).toEqual([
    'quorate-agent: POST /boot/seed',
    'quorate-engine-worker: RunActivity:seed',
    'quorate: StartWorkflow:bootstrap',
    'quorate: quorate bootstrap',
  ]);
});

test('an activity that asks the API is in it too, and so are those of a controller’s worker', async () => {
  const api = await lineWhen('quorate-api', 'GET /v1/status', fromBootstrap);
  expect(words(api).slice(0, 2)).toEqual([
    'quorate-api: GET /v1/status',
    'quorate-engine-worker: RunActivity:waitForController',
  ]);
  await until('an activity of the controller’s worker', async () =>
    collector.spans.find(
      (span) =>
        span.service === 'quorate-worker' && span.name.startsWith('RunActivity:') && fromBootstrap(lineOf(span)),
    ),
  );
});

test('a command and the API’s answers to it are one trace', async () => {
  await environment.home.ok('config', 'x-traced=yes');
  const line = await lineWhen(
    'quorate-api',
    'PUT /v1/settings/:key',
    (found) => found.at(-1)?.name === 'quorate config',
  );
  expect(line).toHaveLength(2);
  expect(line[0]?.attributes).toMatchObject({
    'http.request.method': 'PUT',
    'http.route': '/v1/settings/:key',
    'http.response.status_code': 200,
    'quorate.request_id': expect.any(String),
  });
});

test('singletons, which go on for ever, are in none', () => {
  const theirs = collector.spans.filter(({ attributes }) =>
    /:(sentinel|provisioner|cleaner)$/.test(String(attributes.temporalWorkflowId)),
  );
  expect(theirs.filter(({ name }) => name.startsWith('RunActivity:'))).toEqual([]);
});

test('nothing secret is sent', async () => {
  const { uuid } = (await environment.status()).environment;
  const instance = path.join(environment.store.dirs.localCloud, uuid, await environment.instanceOf('0'));
  const bootKey = readFileSync(path.join(instance, 'disk', 'controller', 'boot.key'), 'utf8').trim();
  expect(bootKey.length).toBeGreaterThan(20);
  for (const secret of [bootKey, 'PRIVATE KEY', 'Bearer ', 'x-traced']) {
    expect(collector.received.includes(secret), secret).toBe(false);
  }
});
