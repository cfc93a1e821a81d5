/** A lock between the processes of one machine that ends with the process that holds it, however that ends. */
import { createHash } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError } from './errors.js';

/**
 * Runs `work` while nobody else holds the lock of this name; throws `locked` at once when somebody does.
 *
 * The lock is a listening socket: the kernel lets it go with the process. On Linux it lies in the abstract namespace and
 * leaves no file; elsewhere the file of a dead process is told apart by nobody listening on it.
 */
export async function whileLocked<T>(name: string, work: () => Promise<T>): Promise<T> {
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 32);
  const abstract = process.platform === 'linux';
  const address = abstract ? `\0quorate-${digest}` : path.join(os.tmpdir(), `quorate-${digest}.sock`);
  const server = await hold(address, abstract, name);
  try {
    return await work();
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

/** The same, waiting for those who hold it at the moment; throws `locked` when one of them stands still for so long. */
export async function whenUnlocked<T>(
  name: string,
  patience: { readonly forMs: number; readonly everyMs: number },
  work: () => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + patience.forMs;
  for (;;) {
    try {
      return await whileLocked(name, work);
    } catch (error) {
      if (!(error instanceof QuorateError) || error.code !== 'locked' || performance.now() > deadline) throw error;
      await sleep(patience.everyMs);
    }
  }
}

async function hold(address: string, abstract: boolean, name: string): Promise<Server> {
  try {
    return await listen(address);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    if (abstract || (await answered(address))) {
      throw new QuorateError('locked', `Another process of this machine is at ${name}.`, { cause: error });
    }
    await unlink(address);
    return listen(address);
  }
}

function listen(address: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen(address, () => resolve(server));
  });
}

function answered(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
