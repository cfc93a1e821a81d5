import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openPrivately } from './browser.js';

const URL = 'https://127.0.1.1:17070/dashboard#token=qrt_secret&ends=2026';
const path = process.env.PATH;
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'quorate-browser-'));
});
afterEach(() => {
  process.env.PATH = path;
  rmSync(directory, { recursive: true, force: true });
});

test.runIf(process.platform === 'linux')(
  'what starts the browser is told a private file that leads there',
  async () => {
    const opener = `#!/bin/sh\necho "$@" > ${directory}/told.new && mv ${directory}/told.new ${directory}/told\n`;
    writeFileSync(join(directory, 'xdg-open'), opener, { mode: 0o700 });
    process.env.PATH = `${directory}:${path}`;
    await openPrivately(directory, URL);
    await expect.poll(() => readFileSync(join(directory, 'told'), 'utf8'), { timeout: 10_000 }).toMatch(/^file:/);
    const told = readFileSync(join(directory, 'told'), 'utf8').trim();
    expect(told).not.toContain('secret');
    const file = fileURLToPath(told);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toContain(`url=${URL.replace('&', '&amp;')}"`);
  },
);

test('without one, it says to do it by hand', async () => {
  process.env.PATH = directory;
  await expect(openPrivately(directory, URL)).rejects.toMatchObject({
    code: 'no-browser',
    todo: 'Open the address by hand.',
  });
});
