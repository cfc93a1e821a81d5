import { randomUUID } from 'node:crypto';
import type { AddedMachines, Machines } from '../api/machines.js';
import type { Operation } from '../api/operations.js';
import type { ApiClient } from '../client/client.js';
import { followOperation } from '../client/operation.js';
import { QuorateError } from '../errors.js';
import { type Limits, patiently } from './patience.js';

/** Ten a second: long enough that the primary is lost in the middle of it, and over before anybody has to wait for it. */
const LINES = 80;
const COMMAND = `i=0; while [ $i -lt ${LINES} ]; do i=$((i+1)); echo $i; sleep 0.1; done`;

/** Adds workload machines and waits for their agents. @returns their IDs */
export async function addWorkload(client: ApiClient, count: number, limits: Limits): Promise<readonly string[]> {
  const { body } = await client.request<AddedMachines>('POST', '/v1/machines', {
    body: { count, constraints: {} },
    idempotencyKey: randomUUID(),
  });
  const away = async () => {
    const { machines } = (await client.request<Machines>('GET', '/v1/machines')).body;
    const added = machines.filter(({ id }) => body.machines.includes(id));
    return added.filter(({ agent }) => agent !== 'started').map(({ id }) => `machine ${id}`);
  };
  await patiently(
    away,
    (waited) => waited.length === 0,
    (waited) => waited.join(),
    (waited) =>
      new QuorateError('no-agent', `the agents of ${waited.join(', ')} did not come.`, {
        todo: 'Look with: quorate machines, quorate cloud log MACHINE.',
      }),
    limits,
  );
  return body.machines;
}

/** A command that counts on several machines while controllers come and go, and what was heard of it. */
export class Counting {
  readonly #lines = new Map<string, string>();
  readonly #stop = new AbortController();
  readonly #end: Promise<Operation | null>;

  private constructor(client: ApiClient, operation: Operation) {
    const { id } = operation;
    const listener = {
      output: async (machine: string, _stream: string, data: Buffer) => {
        this.#lines.set(machine, (this.#lines.get(machine) ?? '') + data.toString());
      },
      ended: async () => {},
    };
    this.#end = followOperation(client, id, listener, this.#stop.signal);
    // Whoever waits for the end is told; until then a failure must not end the process.
    this.#end.catch(() => undefined);
  }

  static async begin(client: ApiClient, machines: readonly string[]): Promise<Counting> {
    const body = { command: ['/bin/sh', '-c', COMMAND], machines, timeout: '5m', background: false };
    const answer = await client.request<Operation>('POST', '/v1/operations', { body, idempotencyKey: randomUUID() });
    return new Counting(client, answer.body);
  }

  /** Waits for its end. @returns the lines that each machine wrote, when each was heard once and in order and all went well */
  async end(): Promise<number> {
    const operation = await this.#end;
    const expected = Array.from({ length: LINES }, (_, line) => `${line + 1}\n`).join('');
    for (const { machine, state, message } of operation?.results ?? []) {
      if (state === 'done' && this.#lines.get(machine) === expected) continue;
      throw new QuorateError(
        'output-lost',
        `the command on machine ${machine} ended ${state}, and not every line was heard once.`,
        {
          todo: `${message} Look with: quorate show-operation ${operation?.id} --output`.trim(),
        },
      );
    }
    return LINES;
  }

  close(): void {
    this.#stop.abort();
  }
}
