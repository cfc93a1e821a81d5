import { once } from 'node:events';
import type { Operation, Result } from '../api/operations.js';
import type { OperationListener } from '../client/operation.js';
import { resultText } from './operation-text.js';
import { Prefixed } from './prefixed.js';

/** One machine: its bytes are ours, and nothing is said beside them but what they do not say. */
export class Raw implements OperationListener {
  async output(_machine: string, stream: 'stdout' | 'stderr', data: Buffer): Promise<void> {
    await write(process[stream], data);
  }

  async ended(result: Result): Promise<void> {
    const { state, message, truncated, machine, signal } = result;
    const plain = (state === 'done' || state === 'failed') && message === '' && signal === '' && !truncated;
    if (!plain) await write(process.stderr, `quorate: machine ${machine}: ${resultText(result)}\n`);
  }
}

/** Several machines: each line says whose it is. */
export class Beside implements OperationListener {
  readonly #lines = new Map<string, Prefixed>();

  async output(machine: string, stream: 'stdout' | 'stderr', data: Buffer): Promise<void> {
    await write(process[stream], this.#of(machine, stream).add(data));
  }

  async ended(result: Result): Promise<void> {
    for (const stream of ['stdout', 'stderr'] as const) {
      await write(process[stream], this.#of(result.machine, stream).end());
    }
    const quiet = result.state === 'done' && !result.truncated;
    if (!quiet) await write(process.stderr, `quorate: machine ${result.machine}: ${resultText(result)}\n`);
  }

  #of(machine: string, stream: string): Prefixed {
    const key = `${machine}/${stream}`;
    const known = this.#lines.get(key) ?? new Prefixed(`${machine}: `);
    this.#lines.set(key, known);
    return known;
  }
}

/** For programs: text where it is text, else base64. */
export class Collected implements OperationListener {
  readonly #parts = new Map<string, Buffer[]>();

  async output(machine: string, stream: string, data: Buffer): Promise<void> {
    const key = `${machine}/${stream}`;
    this.#parts.set(key, [...(this.#parts.get(key) ?? []), data]);
  }

  async ended(): Promise<void> {}

  with({ token: _, ...operation }: Operation) {
    const results = operation.results.map((result) => ({
      ...result,
      stdout: written(this.#parts.get(`${result.machine}/stdout`)),
      stderr: written(this.#parts.get(`${result.machine}/stderr`)),
    }));
    return { ...operation, results };
  }
}

function written(parts: readonly Buffer[] = []): { readonly text: string } | { readonly base64: string } {
  const data = Buffer.concat(parts);
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data) };
  } catch {
    return { base64: data.toString('base64') };
  }
}

/** Waits while whoever reads is slower than the command was. */
async function write(stream: NodeJS.WriteStream, data: Buffer | string): Promise<void> {
  if (data.length > 0 && !stream.write(data)) await once(stream, 'drain');
}
