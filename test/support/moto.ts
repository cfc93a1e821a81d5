import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../src/package.js';
import { pythonWith } from './python.js';
import { reap, reaped } from './reap.js';

const STARTED_MS = 300_000;

/**
 * A server that answers as EC2, S3, SSM and STS do: moto, with nothing in it that others use. A reaper beside the test ends
 * it with the test, however that ends.
 */
export class Moto {
  private constructor(
    readonly endpoint: string,
    private readonly reaper: ChildProcess,
  ) {}

  static async start(): Promise<Moto> {
    const python = await pythonWith('moto', join(packageRoot(), 'test/support/moto-requirements.txt'));
    const dir = mkdtempSync(join(tmpdir(), 'quorate-test-moto-'));
    const reaper = reap(dir);
    const child = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'], {
      env: { PATH: process.env.PATH, HOME: dir, QUORATE_TEST: dir },
      cwd: dir,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.unref();
    try {
      return new Moto(await listening(child), reaper);
    } catch (error) {
      await reaped(reaper);
      throw error;
    }
  }

  /** Everything in it is forgotten. */
  async reset(): Promise<void> {
    const answer = await fetch(`${this.endpoint}/moto-api/reset`, { method: 'POST' });
    if (!answer.ok) throw new Error(`moto's reset answered ${answer.status}`);
  }

  async stop(): Promise<void> {
    await reaped(this.reaper);
  }
}

/** Its address, from what it prints; afterwards nothing of what it prints is kept. */
async function listening(child: ChildProcess): Promise<string> {
  return await new Promise((resolve, reject) => {
    let said = '';
    const late = setTimeout(
      () => reject(new Error(`moto did not listen within ${STARTED_MS} ms: ${said}`)),
      STARTED_MS,
    );
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`moto ended with ${code}: ${said}`)));
    child.stderr?.on('data', (chunk) => {
      if (said.length < 10_000) said += chunk;
      const port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1];
      if (port === undefined) return;
      clearTimeout(late);
      (child.stderr as unknown as { unref?: () => void })?.unref?.();
      resolve(`http://127.0.0.1:${port}`);
    });
  });
}
