import type { Machines } from '../api/machines.js';
import type { Operation } from '../api/operations.js';
import type { ApiClient } from '../client/client.js';
import { followOperation, type OperationListener } from '../client/operation.js';
import { QuorateError } from '../errors.js';
import { Beside, Collected, Raw } from './operation-listeners.js';
import { exitCodeOf } from './operation-text.js';
import { formatOf, type OutputOptions, print } from './output.js';

/** As shells say of what Ctrl-C ended: what the command will come to is not known. */
const DETACHED = 130;
const AGENTS_MS = 5000;

/**
 * Shows what an operation writes as it is written, until it has ended on all machines or Ctrl-C detaches; for programs all
 * of it at the end, as one value. The process ends with the command's exit code.
 */
export async function showOutput(client: ApiClient, operation: Operation, options: OutputOptions): Promise<void> {
  const { id } = operation;
  const ways = `Go on with: quorate show-operation ${id} --output      End it with: quorate cancel-operation ${id}`;
  const collected = new Collected();
  const tabular = formatOf(options) === 'tabular';
  const listener = !tabular ? collected : operation.results.length === 1 ? new Raw() : new Beside();
  const agents = new Agents(client, operation);
  const detach = new AbortController();
  const onInterrupt = () => detach.abort();
  process.once('SIGINT', onInterrupt);
  try {
    const told: OperationListener = {
      output: (machine, stream, data) => listener.output(machine, stream, data),
      ended: async (result) => {
        agents.ended(result.machine);
        await listener.ended(result);
      },
    };
    const end = await followOperation(client, id, told, detach.signal);
    if (end === null) {
      process.stderr.write(`\nDetached; operation ${id} goes on.\n${ways}\n`);
      process.exitCode = DETACHED;
      return;
    }
    if (!tabular) await print(collected.with(end), options, () => '');
    process.exitCode = exitCodeOf(end.results);
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    const message = `operation ${id} cannot be followed any more: ${error.message}`;
    throw new QuorateError(error.code, message, { todo: `It goes on by itself. ${ways}`, cause: error });
  } finally {
    agents.close();
    process.removeListener('SIGINT', onInterrupt);
  }
}

/** Looks now and then whether there is still anybody who could say how it ends, and says so once when there is not. */
class Agents {
  readonly #open: Set<string>;
  readonly #said = new Set<string>();
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly client: ApiClient,
    operation: Operation,
  ) {
    this.#open = new Set(operation.results.map(({ machine }) => machine));
    this.#timer = setInterval(() => void this.#look().catch(() => undefined), AGENTS_MS);
  }

  ended(machine: string): void {
    this.#open.delete(machine);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** One that fails tells nothing: the operation is followed all the same. */
  async #look(): Promise<void> {
    const { body } = await this.client.request<Machines>('GET', '/v1/machines', { timeoutMs: AGENTS_MS });
    for (const { id, agent } of body.machines) {
      if (!this.#open.has(id) || agent === 'started' || this.#said.has(id)) continue;
      this.#said.add(id);
      process.stderr.write(
        `quorate: machine ${id}: its agent does not answer (${agent}); waiting until it says how it ended, or its time is over.\n`,
      );
    }
  }
}
