import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpsServer, globalAgent } from 'node:https';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { ApiClient, type ApiClientOptions } from '../../src/client/client.js';
import { openClient } from '../../src/client/open.js';
import { type Authority, createAuthority, fingerprint, issueWithKey } from '../../src/pki/authority.js';
import { serverName } from '../../src/pki/certificate.js';
import type { AddressSet } from '../../src/store/record.js';
import { openStore } from '../../src/store/store.js';

/** The client against controllers that are processes of their own, killed and frozen. Times are printed, not judged. */

const UUID = '5e0c2f0e-6a1f-4c62-9c59-3f4a8f6a9a01';
const STUB = fileURLToPath(new URL('../support/stub-controller.mjs', import.meta.url));

interface Stub {
  readonly machine: string;
  readonly api: string;
  readonly child: ChildProcess;
}

let dir: string;
let authority: Authority;
let tls: ApiClientOptions['tls'];
let stubs: Stub[];
const clients: ApiClient[] = [];
const servers: Server[] = [];

beforeAll(async () => {
  authority = await createAuthority(UUID);
  const { certificate, key } = await issueWithKey(authority, { subject: { cn: 'ana', ou: 'operator', o: UUID } });
  tls = { ca: authority.certificate, certificate, key };
});
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quorate-client-'));
  for (const file of ['seen', 'done', 'events']) await writeFile(join(dir, file), '');
  stubs = [];
  await publish(0);
});
afterEach(async () => {
  await Promise.allSettled(clients.splice(0).map((client) => client.close()));
  await Promise.all(stubs.map(kill));
  for (const server of servers.splice(0)) server.close();
  await rm(dir, { recursive: true, force: true });
});
afterAll(() => {
  for (const [what, ms] of times) console.log(`${what}: ${ms.toFixed(0)} ms`);
});

const times: [string, number][] = [];
async function timed<T>(what: string, work: Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work;
  times.push([what, performance.now() - start]);
  return result;
}

async function start(machine: string, by = authority, port = 0): Promise<Stub> {
  const address = `127.0.0.${Number(machine) + 1}`;
  const subject = { cn: `machine-${machine}`, ou: 'agent', o: UUID } as const;
  const own = await issueWithKey(by, { subject, addresses: [address], names: [serverName(UUID)] });
  const config = join(dir, `stub-${machine}.json`);
  const files = Object.fromEntries(['set', 'seen', 'done', 'events'].map((file) => [file, join(dir, file)]));
  const certificate = own.certificate + by.certificate;
  await writeFile(
    config,
    JSON.stringify({ machine, address, port, ca: by.certificate, ...own, certificate, ...files }),
  );
  const child = spawn(process.execPath, [STUB, config], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
  const stub = { machine, api: `${address}:${String(line).trim()}`, child };
  stubs.push(stub);
  return stub;
}

function the(machine: string): Stub {
  return stubs.find((stub) => stub.machine === machine) as Stub;
}

async function kill({ child }: Stub): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

function setOf(version: number, ...members: Stub[]): AddressSet {
  return { version, servers: members.map(({ machine, api }) => ({ machine, api, mongo: '' })) };
}

async function publish(version: number, ...members: Stub[]): Promise<void> {
  await writeFile(join(dir, 'set'), JSON.stringify(setOf(version, ...members)));
}

function open(addresses: readonly string[], options: Partial<ApiClientOptions> = {}): ApiClient {
  const client = new ApiClient({ environment: { uuid: UUID, name: 'demo' }, addresses, tls, ...options });
  clients.push(client);
  return client;
}

async function three(): Promise<[Stub, Stub, Stub]> {
  const all = await Promise.all([start('0'), start('1'), start('2')]);
  await publish(1, ...all);
  return all;
}

const lines = async (file: string) => (await readFile(join(dir, file), 'utf8')).split('\n').filter(Boolean);

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; !(await holds()); ) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('requests', () => {
  test('go to the first that answers, and to another one when it is killed', async () => {
    const all = await three();
    const client = open(all.map(({ api }) => api));
    const first = await timed('first answer', client.request('GET', '/v1/status'));
    expect(client.current()).toBe(first.machine);
    expect(client.addresses[0]).toBe(the(first.machine).api);
    await timed('next answer', client.request('GET', '/v1/status'));

    await kill(the(first.machine));
    const second = await timed('answer after a kill between requests', client.request('GET', '/v1/status'));
    expect(second.machine).not.toBe(first.machine);

    const late = client.request('GET', '/v1/late?ms=100');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await kill(the(second.machine));
    const third = await timed('answer after a kill in the middle, of which 100 ms are the work', late);
    expect(new Set([first.machine, second.machine, third.machine]).size).toBe(3);
    expect(client.addresses[0]).toBe(the(third.machine).api);
  });

  test('leave a frozen controller, which is tried last afterwards', async () => {
    const all = await three();
    const client = open(all.map(({ api }) => api));
    const { machine } = await client.request('GET', '/v1/status');
    const frozen = the(machine);
    frozen.child.kill('SIGSTOP');
    const next = await timed('answer after a freeze', client.request('GET', '/v1/status'));
    expect(next.machine).not.toBe(machine);
    expect(client.addresses.at(-1)).toBe(frozen.api);
    const fresh = open([frozen.api, ...all.filter((stub) => stub !== frozen).map(({ api }) => api)]);
    await timed('first answer with the first controller frozen', fresh.request('GET', '/v1/status'));
  });

  test('that take long are waited for while the controller lives', async () => {
    const [one] = await three();
    const client = open([one.api]);
    expect((await client.request('GET', '/v1/late?ms=1500')).machine).toBe('0');
    await expect(client.request('GET', '/v1/late?ms=1500', { timeoutMs: 200 })).rejects.toMatchObject({
      code: 'timed-out',
    });
  });

  test('more than the sockets there are take turns', async () => {
    const [one] = await three();
    const client = open([one.api]);
    const answers = await Promise.all(Array.from({ length: 60 }, () => client.request('GET', '/v1/late?ms=5')));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  });

  test('a change with a key is sent again, and seen to be the same; without one its outcome is unknown', async () => {
    const [one, two] = await three();
    const client = open([one.api, two.api]);
    await until('machine 0 is in front', async () => (await client.request('GET', '/v1/status')).machine === '0');
    const change = client.request('PUT', '/v1/change?mute=0', { body: { n: 1 }, idempotencyKey: 'k1' });
    await until('the change was seen', async () => (await lines('seen')).length === 1);
    await kill(one);
    const answer = await timed('answer to a change sent again', change);
    expect(answer.machine).not.toBe('0');
    expect(await lines('seen')).toEqual(['0 k1 {"n":1}', `${answer.machine} k1 {"n":1}`]);
    expect(await lines('done')).toEqual(['k1']);

    const unsafe = client.request('PUT', `/v1/change?mute=${answer.machine}`, { body: { n: 2 } });
    const outcome = expect(unsafe).rejects.toMatchObject({ code: 'unknown-outcome' });
    await until('the second was seen', async () => (await lines('seen')).length === 3);
    await kill(the(answer.machine));
    await outcome;
    expect(await lines('seen')).toHaveLength(3);
  });

  test('a change without a key that could not be sent is sent elsewhere', async () => {
    const [one, two] = await three();
    const client = open([one.api, two.api]);
    const { machine } = await client.request('GET', '/v1/status');
    await kill(the(machine));
    await timed(
      'loss of an idle connection noticed',
      until('noticed', () => client.current() === null),
    );
    expect((await client.request('PUT', '/v1/change', { body: 1 })).status).toBe(200);
    expect(await lines('seen')).toHaveLength(1);
  });

  test('a controller without a primary is left, when it says so twice', async () => {
    const [one, two] = await three();
    const client = open([one.api, two.api]);
    const answer = await client.request<{ machine: string }>('GET', '/v1/no-primary?at=0');
    expect(answer.body.machine).not.toBe('0');
    await publish(2, one);
    const alone = open([one.api]);
    await expect(alone.request('GET', '/v1/no-primary?at=0', { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'no-primary',
      message: 'There is no primary.',
    });
  });

  test('refusals are the server’s own', async () => {
    const [one] = await three();
    await expect(open([one.api]).request('GET', '/v1/forbidden')).rejects.toMatchObject({
      code: 'forbidden',
      message: 'Not you.',
      todo: 'Ask.',
    });
  });

  test('end with their caller’s signal and with the client', async () => {
    const [one] = await three();
    const client = open([one.api]);
    const caller = new AbortController();
    const first = expect(client.request('GET', '/v1/late?ms=5000', { signal: caller.signal })).rejects.toThrow(
      'enough',
    );
    const second = expect(client.request('GET', '/v1/late?ms=5000')).rejects.toMatchObject({ code: 'closed' });
    await client.request('GET', '/v1/status');
    caller.abort(new Error('enough'));
    await first;
    await client.close();
    await second;
    await expect(client.request('GET', '/v1/status')).rejects.toMatchObject({ code: 'closed' });
  });
});

describe('addresses', () => {
  test('are refreshed on every connection, and a withdrawn controller is left', async () => {
    const [one, two, three_] = await three();
    const sets: AddressSet[] = [];
    const client = open([one.api], { onAddresses: (set) => void sets.push(set) });
    await client.request('GET', '/v1/status');
    await until('the set came', () => sets.length === 1);
    expect([...client.addresses].sort()).toEqual([one.api, two.api, three_.api].sort());
    client.useAddresses(setOf(2, two, three_));
    const answer = await client.request('GET', '/v1/status');
    expect(answer.machine).not.toBe('0');
  });

  test('a change of the set reaches a client that stays connected', async () => {
    const [one] = await three();
    const client = open([one.api]);
    await publish(1, one);
    await client.request('GET', '/v1/status');
    await publish(2, ...stubs);
    await until('it was heard of', async () => {
      await client.request('GET', '/v1/status');
      return client.addresses.length === 3;
    });
  });

  test('come from the URL when nobody known answers', async () => {
    const [one, two, three_] = await three();
    const url = pathToFileURL(join(dir, 'set')).href;
    await publish(2, two, three_);
    await kill(one);
    const answer = await timed('first answer by way of the URL', open([one.api], { url }).request('GET', '/v1/status'));
    expect(answer.machine).not.toBe('0');
  });

  test('over https are asked for by their tag, and read again only when they have changed', async () => {
    const [one, two] = await three();
    await publish(2, one);
    const own = await issueWithKey(authority, {
      subject: { cn: 'bucket', ou: 'service', o: UUID },
      names: ['localhost'],
    });
    const asked: string[] = [];
    const bucket = createHttpsServer({ cert: own.certificate, key: own.key }, async (request, response) => {
      const text = await readFile(join(dir, 'set'), 'utf8');
      const etag = `"${createHash('sha256').update(text).digest('hex')}"`;
      const same = request.headers['if-none-match'] === etag;
      asked.push(`${request.headers['if-none-match'] === undefined ? 'new' : 'known'}: ${same ? 304 : 200}`);
      response.writeHead(same ? 304 : 200, { etag }).end(same ? '' : text);
    }).listen(0, 'localhost');
    servers.push(bucket);
    await once(bucket, 'listening');
    const { port } = bucket.address() as { port: number };
    const agent = globalAgent.options;
    agent.ca = authority.certificate;
    try {
      await Promise.all([one, two].map(kill));
      const client = open([two.api], { url: `https://localhost:${port}/addresses.json` });
      const waiting = client.request('GET', '/v1/status');
      await until('it was asked again', () => asked.length >= 3);
      expect(asked.slice(0, 3)).toEqual(['new: 200', 'known: 304', 'known: 304']);
      const next = await start('3');
      await publish(3, next);
      expect((await waiting).machine).toBe('3');
      expect(asked.filter((how) => how === 'known: 200')).toHaveLength(1);
    } finally {
      agent.ca = undefined;
    }
  });

  test('that are cut off, or none at all, are not taken over', async () => {
    const [one] = await three();
    await kill(one);
    for (const [text, why] of [
      [JSON.stringify(setOf(9, one)).slice(0, -10), 'JSON'],
      ['{"version": 9}', 'not an address set'],
    ] as const) {
      await writeFile(join(dir, 'set'), text);
      const client = open([one.api], { url: pathToFileURL(join(dir, 'set')).href });
      const failure = await client.request('GET', '/v1/status', { timeoutMs: 500 }).catch((error) => error);
      expect(failure).toMatchObject({ code: 'no-controller' });
      expect(failure.message).toContain(why);
      expect(client.addresses).toEqual([one.api]);
    }
  });

  test('when nobody answers at all, the error says who was tried and why each failed', async () => {
    const all = await three();
    await Promise.all(all.map(kill));
    const silent = createServer().listen(0, '127.0.0.9');
    servers.push(silent);
    await once(silent, 'listening');
    const bound = silent.address() as { port: number };
    const client = open([...all.map(({ api }) => api), `127.0.0.9:${bound.port}`], {
      url: pathToFileURL(join(dir, 'set')).href,
    });
    const failure = await client.request('GET', '/v1/status', { timeoutMs: 2_500 }).catch((error) => error);
    expect(failure).toMatchObject({ code: 'no-controller' });
    for (const { api } of all) expect(failure.message).toContain(api);
    expect(failure.message).toMatch(/\(refused\), 127\.0\.0\.9:\d+ \(no answer/);
    expect(failure.message).toContain('and the published addresses (the same three)');
  });

  test('a controller that is back soon is found within the patience', async () => {
    const [one] = await three();
    await publish(2, one);
    const client = open([one.api]);
    await client.request('GET', '/v1/status');
    await kill(one);
    const waiting = client.request('GET', '/v1/status');
    await start('0', authority, Number(one.api.split(':')[1]));
    expect((await waiting).machine).toBe('0');
  });

  test('another environment at the address is refused, with both fingerprints, and passed over when another answers', async () => {
    const foreign = await createAuthority(UUID);
    const stranger = await start('5', foreign);
    const refusal = await open([stranger.api])
      .request('GET', '/v1/status')
      .catch((error) => error);
    expect(refusal).toMatchObject({ code: 'foreign-ca' });
    expect(refusal.message).toContain(fingerprint(authority.certificate));
    expect(refusal.message).toContain(fingerprint(foreign.certificate));
    const [one] = await three();
    expect((await open([stranger.api, one.api]).request('GET', '/v1/status')).machine).toBe('0');
  });

  test.each([
    ['ahead', 30, 'its certificate is not valid yet: is a clock wrong?'],
    ['behind', -400, 'its certificate has expired'],
  ])(
    'a clock that has jumped %s makes certificates that are told as that, and passed over when another answers',
    async (_, days, told) => {
      // Whoever issues asks the date, whoever checks asks the machine's own clock: between them one of the two has jumped.
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + days * 86_400_000 });
      const jumped = await start('5').finally(() => vi.useRealTimers());
      const refusal = await open([jumped.api])
        .request('GET', '/v1/status', { timeoutMs: 1000 })
        .catch((error) => error);
      expect(refusal).toMatchObject({ code: 'no-controller' });
      expect(refusal.message).toContain(`${jumped.api} (${told})`);
      const [one] = await three();
      expect((await open([jumped.api, one.api]).request('GET', '/v1/status')).machine).toBe('0');
    },
  );

  test('the store keeps the refreshed set', async () => {
    const all = await three();
    const store = await openStore({ QUORATE_HOME: join(dir, 'home') });
    await expect(openClient(store, 'demo')).rejects.toMatchObject({ code: 'unknown-environment', exit: 2 });
    await store.writeEnvironment({
      ...{ name: 'demo', uuid: UUID, cloud: 'local', region: '', url: '', createdAt: '' },
      addresses: setOf(0, all[1]),
      temporal: { address: '', namespace: '' },
    });
    await expect(openClient(store, 'demo')).rejects.toMatchObject({ code: 'not-enrolled' });
    await store.writeCredentials('demo', tls as Required<typeof tls>);
    const client = await openClient(store, 'demo');
    await client.request('GET', '/v1/status');
    await client.close();
    expect((await store.readEnvironment('demo'))?.addresses).toEqual(setOf(1, ...all));
  });
});

describe('sockets', () => {
  test('a watch goes on at another controller, nothing skipped and nothing twice', async () => {
    const all = await three();
    const client = open(all.map(({ api }) => api));
    const seen: string[] = [];
    const by = new Set<string>();
    const over = new AbortController();
    const watching = (async () => {
      for await (const event of client.watch({ signal: over.signal })) {
        seen.push(event.id);
        by.add((event.document as { by: string }).by);
      }
    })();
    const expected: string[] = [];
    const write = async (count: number) => {
      for (let n = 0; n < count; n += 1) {
        expected.push(`e${expected.length}`);
        await appendFile(join(dir, 'events'), `${expected.at(-1)}\n`);
      }
    };
    await until('the watch has begun', async () => {
      await write(1);
      return seen.length > 0;
    });
    expected.splice(0, expected.indexOf(seen[0] as string));
    await write(20);
    await until('the first have come', () => seen.length === expected.length);
    const first = [...by][0] as string;
    const killing = kill(the(first));
    await write(20);
    await killing;
    await timed(
      'watch after a kill',
      until('they came', () => seen.length === expected.length),
    );
    const second = [...by].find((machine) => machine !== first) as string;
    the(second).child.kill('SIGSTOP');
    await write(20);
    await timed(
      'watch after a freeze',
      until('they came', () => seen.length === expected.length),
    );
    expect(seen).toEqual(expected);
    expect(by.size).toBe(3);
    over.abort();
    await watching;
  });

  test('where the one that was to stay is lost, one that was to leave and stayed is found', async () => {
    const [zero, one, two] = await three();
    const client = open([zero.api, one.api, two.api]);
    await client.request('GET', '/v1/status');
    await publish(2, zero);
    await until('the set of who is to stay', async () => {
      await client.request('GET', '/v1/status');
      return client.addresses.length === 1;
    });
    await Promise.all([kill(zero), kill(two)]);
    await publish(3, one);
    const { machine } = await client.request('GET', '/v1/status');
    expect(machine).toBe('1');
    await until('the set of who stayed', () => client.addresses[0] === one.api);
  });

  test('a watch goes on at those who came while it lasted, when all that it began with are gone', async () => {
    const first = await start('0');
    await publish(1, first);
    const client = open([first.api]);
    const seen: string[] = [];
    const over = new AbortController();
    const watching = (async () => {
      for await (const { id } of client.watch({ signal: over.signal })) seen.push(id);
    })();
    const tell = (line: string) => appendFile(join(dir, 'events'), `${line}\n`);
    await until('the watch has begun', async () => {
      await tell('before');
      return seen.length > 0;
    });
    const second = await start('1');
    await publish(2, second);
    await tell(JSON.stringify(setOf(2, second)));
    await until('the newcomer is told', () => seen.includes('current'));
    await kill(first);
    await tell('after');
    await until('it goes on', () => seen.includes('after'));
    expect(client.addresses).toEqual([second.api]);
    over.abort();
    await watching;
  });

  test('an agent’s socket says which controller it is on, and that it was lost', async () => {
    const all = await three();
    const client = open(
      all.map(({ api }) => api),
      { localAddress: '127.0.0.77' },
    );
    for (let round = 0; round < 2; round += 1) {
      const socket = await client.openAgentSocket();
      const messages: unknown[] = [];
      socket.onMessage((message) => messages.push(message));
      const closed = new Promise((resolve) => socket.onClose(resolve));
      expect(socket.send({ type: 'hello' })).toBe(true);
      await until('the echo', () => messages.length === 1);
      expect(messages).toEqual([{ from: socket.machine, echo: { type: 'hello' } }]);
      await kill(the(socket.machine));
      await timed('loss of an agent’s socket noticed', closed);
      expect(socket.send({})).toBe(false);
    }
    await Promise.all(all.map(kill));
    await expect(client.openAgentSocket({ timeoutMs: 300 })).rejects.toMatchObject({ code: 'no-controller' });
  });
});
