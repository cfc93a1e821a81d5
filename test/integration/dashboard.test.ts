import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { openBrowser } from '../support/browser.js';
import { connectedTo } from '../support/connections.js';
import { TestEnvironment } from '../support/environment.js';
import { until } from '../support/home.js';
import { kill } from '../support/kill.js';

/** One environment with three controllers, and who looks at it from outside: the page in a browser, and `quorate watch`. */
let env: TestEnvironment;

beforeAll(async () => {
  env = await TestEnvironment.bootstrap(3, ['grace=1h', 'stopped-grace=1h']);
}, 240_000);
afterAll(async () => {
  await env?.close();
});

/** A screenshot, kept where somebody wants to look at it: QUORATE_SCREENSHOTS names a directory. */
async function shot(page: Page, name: string): Promise<Buffer> {
  const directory = process.env.QUORATE_SCREENSHOTS;
  return await page.screenshot({ fullPage: true, ...(directory ? { path: join(directory, `${name}.png`) } : {}) });
}

describe('the page of quorate dashboard', () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let url: URL;
  let token: string;
  let ca: string;
  const sent: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await openBrowser();
    const { code, stdout, stderr } = await env.home.run('dashboard');
    expect(code, stderr).toBe(0);
    url = new URL(stdout.trim());
    token = new URLSearchParams(url.hash.slice(1)).get('token') ?? '';
    const caFile = /CA, (\S+)\n\(SHA-256 ([0-9A-F:]+)\)/.exec(stderr)?.[1] ?? '';
    ca = readFileSync(caFile, 'utf8');
    context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1200, height: 900 } });
    page = await context.newPage();
    page.on('request', (asked) => sent.push(`${asked.url()} ${asked.headers().referer ?? ''}`));
    page.on('websocket', (socket) => sent.push(socket.url()));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(url.href);
  });
  afterAll(async () => {
    await browser?.close();
  });

  /** As whoever trusts the environment's CA and nothing else asks; the address is checked against the certificate. */
  async function ask(path: string, options: { method?: string; headers?: Record<string, string> } = {}) {
    const outgoing = request(new URL(path, url.origin), { ca, agent: false, ...options });
    outgoing.end();
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    let text = '';
    for await (const part of answer.setEncoding('utf8')) text += part;
    return { status: answer.statusCode, headers: answer.headers, text };
  }

  const lookingAt = async () =>
    /controller (\d+)/.exec((await page.locator('.link-line').textContent()) ?? '')?.[1] ?? '';
  const focused = () => page.evaluate('document.activeElement.getAttribute("data-machine")');

  test('shows the controllers, who is primary, and what has happened', async () => {
    const { ha, controllers } = await env.status();
    await page.locator('.node').nth(2).waitFor();
    expect(await page.locator('.node').count()).toBe(3);
    for (const { machine } of controllers) {
      await page.getByRole('button', { name: new RegExp(`^Controller ${machine}, .*votes`) }).waitFor();
    }
    await page.getByRole('button', { name: new RegExp(`^Controller ${ha.primary}, primary, votes`) }).waitFor();
    expect(await page.locator('.link.both').count()).toBe(3);
    await page.getByText('Can lose 1 more controller').waitFor();
    await page.locator('.time-line').getByText('demo runs with 3 controllers').waitFor();
    expect(await page.title()).toBe('demo: ha');
    expect(complaints).toEqual([]);
  });

  test('is as well in the dark, and on a phone nothing is wider than it', async () => {
    const light = await shot(page, 'light');
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await shot(page, 'dark');
    expect(light.equals(dark)).toBe(false);
    expect(await page.evaluate('getComputedStyle(document.documentElement).backgroundColor')).toBe('rgb(14, 19, 26)');
    await page.setViewportSize({ width: 360, height: 740 });
    await shot(page, 'phone');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
    await page.locator('.node').first().click();
    await page.getByRole('dialog').waitFor();
    await shot(page, 'phone-details');
    const box = await page.getByRole('dialog').boundingBox();
    expect(box && box.x >= 0 && box.x + box.width <= 360).toBe(true);
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1200, height: 900 });
  });

  test('is used with the keyboard: each controller in turn, Enter opens it, Esc closes it where it was', async () => {
    await page.mouse.click(2, 2);
    for (let presses = 0; presses < 5 && (await focused()) === null; presses += 1) await page.keyboard.press('Tab');
    const machine = await focused();
    expect(machine).not.toBeNull();
    const ring = 'getComputedStyle(document.activeElement.querySelector(".focus")).stroke';
    expect(await page.evaluate(ring)).toMatch(/^rgb/);
    await page.keyboard.press('Tab');
    expect(await focused()).not.toBe(machine);
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: `Controller ${machine}` });
    await dialog.getByText('API server').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    expect(await focused()).toBe(machine);
  });

  test('tells its token to controllers alone, and leaves it in no address and no log', async () => {
    expect(token).toMatch(/^qrt_/);
    expect(page.url()).toBe(`${url.origin}/dashboard`);
    expect(sent.length).toBeGreaterThan(4);
    expect(sent.filter((what) => what.includes(token))).toEqual([]);
    expect(sent.filter((what) => !/^(https|wss):\/\/[\d.]+:17070\/\S* ?$/.test(what))).toEqual([]);
    const logs = execFileSync('find', [env.home.dir, '-name', '*log*', '-type', 'f', '-size', '-50M'], {
      encoding: 'utf8',
    });
    const files = logs.trim().split('\n');
    expect(files.length).toBeGreaterThan(3);
    expect(files.filter((file) => readFileSync(file).includes(token))).toEqual([]);
    const read = { authorization: `Bearer ${token}` };
    expect((await ask('/v1/status', { headers: read })).status).toBe(200);
    const change = { ...read, 'idempotency-key': 'dashboard-may-not' };
    expect((await ask('/v1/settings/x-a?version=1', { method: 'DELETE', headers: change })).status).toBe(403);
  });

  test('comes with a policy, by the environment’s certificate, from a fixed table of files', async () => {
    const { status, headers, text } = await ask('/dashboard');
    expect(status).toBe(200);
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-cache',
    });
    expect(text).not.toMatch(/<script(?![^>]* src=)|<style| on\w+=|style=/);
    const [script = ''] = /\/dashboard\/page-[0-9a-f]{16}\.js/.exec(text) ?? [];
    const code = await ask(script);
    expect(code.headers['content-type']).toContain('text/javascript');
    expect(code.headers['cache-control']).toContain('immutable');
    const head = await ask(script, { method: 'HEAD' });
    expect([head.status, head.text, head.headers['content-length']]).toEqual([
      200,
      '',
      String(Buffer.byteLength(code.text)),
    ]);
    for (const path of ['/dashboard/..%2f..%2fpackage.json', '/dashboard/%2e%2e/package.json', '/dashboard/page.js']) {
      expect((await ask(path)).status, path).toBe(404);
    }
    for (const method of ['POST', 'PUT', 'DELETE']) expect((await ask('/dashboard', { method })).status).toBe(404);
  });

  test('is let in from other controllers; pages from elsewhere are not', async () => {
    const { controllers } = await env.status();
    const other = controllers.map(({ api }) => `https://${api}`).find((origin) => origin !== url.origin) ?? '';
    const preflight = async (origin: string) => {
      const asked = { 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' };
      return await ask('/v1/status', { method: 'OPTIONS', headers: { origin, ...asked } });
    };
    const good = await preflight(other);
    expect(good.status).toBe(204);
    expect(good.headers).toMatchObject({
      'access-control-allow-origin': other,
      'access-control-allow-methods': 'GET',
      'access-control-allow-headers': 'authorization',
    });
    expect(good.headers).not.toHaveProperty('access-control-allow-credentials');
    for (const origin of ['https://evil.example', other.replace('https', 'http'), `${other}0`, 'null']) {
      const bad = await preflight(origin);
      expect(bad.status, origin).toBe(403);
      expect(bad.headers, origin).not.toHaveProperty('access-control-allow-origin');
      // A browser would show the operator's certificate on it, if it had one.
      const operator = await env.store.credentials('demo');
      const socket = new WebSocket(`wss://${url.host}/v1/watch`, {
        ca,
        cert: operator?.certificate,
        key: operator?.key,
        origin,
      });
      const [{ message }] = await once(socket, 'error');
      expect(message, origin).toContain('403');
    }
  });

  test('goes on when the API server that it came from is killed, and says so; a change is shown as it runs', async () => {
    const machine = await lookingAt();
    expect(machine).toMatch(/^\d$/);
    expect(complaints).toEqual([]);
    kill(await env.pidOf(machine, 'api'));
    const lost = page.getByText(new RegExp(`^Lost controller ${machine} at .*Went on with controller \\d after`));
    await lost.waitFor({ timeout: 30_000 });
    console.log(await lost.textContent());
    await shot(page, 'lost');
    const next = await lookingAt();
    expect(next).not.toBe(machine);
    expect(page.url()).toBe(`${url.origin}/dashboard`);

    const running = page
      .locator('section')
      .filter({ has: page.getByRole('heading', { name: /^Running: switchover/ }) });
    const shown = running.locator('.steps li').first().waitFor({ timeout: 60_000 });
    const switched = env.home.run('switchover');
    await shown;
    await shot(page, 'running');
    expect((await switched).code).toBe(0);
    const { ha } = await env.status();
    await page.getByRole('button', { name: new RegExp(`^Controller ${ha.primary}, primary`) }).waitFor();
    await running.waitFor({ state: 'hidden' });
    await page.locator('.time-line').getByText('switchover').waitFor();
    // A page that looked while there was none says instead that none is seen, and then who is.
    await page
      .locator('.time-line')
      .getByText(
        new RegExp(`^\\S+ (The primary moved from machine \\d to ${ha.primary}|Machine ${ha.primary} is the primary)`),
      )
      .waitFor();
    await shot(page, 'after');
    // What a browser says of connections that are refused or broken, and nothing else.
    expect(complaints.filter((text) => !/net::ERR_|WebSocket connection to/.test(text))).toEqual([]);
    expect(sent.filter((what) => what.includes(token))).toEqual([]);
  });
});

describe('quorate watch --format json', () => {
  test('prints one object a line, and goes on at another controller with nothing skipped or shown twice', async () => {
    const { controllers } = await env.whole(3);
    const { child, done } = env.home.start('watch', '--format', 'json');
    let text = '';
    child.stdout?.on('data', (chunk) => {
      text += chunk;
    });
    const told = () => {
      const lines = text.split('\n').slice(0, -1);
      return lines
        .map((line) => JSON.parse(line) as { kind: string; id: string; document: { version: number } })
        .filter(({ kind, id }) => kind === 'setting' && id.startsWith('x-watched-'))
        .map(({ id, document }) => `${id} ${document.version}`);
    };
    const written: string[] = [];
    const write = async () => {
      const id = `x-watched-${written.length}`;
      const answer = await env.client.request<{ version: number }>('PUT', `/v1/settings/${id}`, {
        body: { value: 'x', version: 0 },
        idempotencyKey: `${id}-${process.pid}`,
        timeoutMs: 30_000,
      });
      written.push(`${id} ${answer.body.version}`);
    };
    await until('the watch to begin', async () => {
      await write();
      return told().length > 0;
    });
    const first = told()[0] ?? '';
    // What was written before it began is not told.
    const skipped = written.indexOf(first);
    const before = connectedTo(child.pid ?? 0, 17070);
    expect(before.length).toBeGreaterThan(0);
    const asked = controllers.filter(({ api }) => before.includes(api));
    for (const { machine } of asked) kill(await env.pidOf(machine, 'api'));
    for (let count = 0; count < 20; count += 1) await write();
    await until('all of it to be told', async () => told().length >= written.length - skipped, 30);
    const after = connectedTo(child.pid ?? 0, 17070);
    expect(after).not.toEqual(before);
    child.kill('SIGINT');
    const { code } = await done;
    expect(code).toBe(0);
    expect(told()).toEqual(written.slice(skipped));
  });
});
