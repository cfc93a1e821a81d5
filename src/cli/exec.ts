import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { NewOperation, Operation } from '../api/operations.js';
import { usageError } from '../errors.js';
import { MOST_NAMED, timeLimitMs } from '../state/operation-limits.js';
import { machineList } from './enable-ha.js';
import { formatOf, type OutputOptions, print, withEnvironment, withFormat } from './output.js';

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly machine?: string;
  readonly all?: boolean;
  readonly timeout: string;
  readonly background?: boolean;
}

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .argument('<command...>', 'after `--`: a program and its arguments, or one text for the shell')
    .option('--machine <machines>', 'where it runs: 0 or 0,3,4')
    .option('--all', 'on every machine that is alive')
    .option('--timeout <duration>', 'how long it may run, and may wait until it is begun; at most 24h', '5m')
    .option('--background', 'print its number and return at once; machines that do not answer now are waited for')
    .addHelpText(
      'after',
      "\nWith one machine the output is the command’s, byte for byte, and so is the exit code. With several each line begins\nwith its machine, and the exit code is 1 unless it went well on all. It is run once on each machine at most, whichever\ncontroller dies meanwhile. Everybody who may read the environment sees the command: give it no secrets as arguments.\n\nExamples:\n  quorate exec --machine 3 -- uptime\n  quorate exec --machine 3,4 -- 'df -h / | tail -1'\n  quorate exec --all --timeout 30s --background -- systemctl restart app",
    )
    .action(async (words: string[], options: Options) => {
      const asked = askedOperation(words, options);
      formatOf(options);
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        const { body } = await client.request<Operation>('POST', '/v1/operations', {
          body: asked,
          idempotencyKey: randomUUID(),
        });
        if (options.background) await inBackground(body, options);
        else {
          const { showOutput } = await import('./follow-operation.js');
          await showOutput(client, body, options);
        }
      } finally {
        client.close();
      }
    });
}

/** What was typed, as the API takes it. One word alone is for the shell: it may be a pipe. */
export function askedOperation(words: readonly string[], options: Omit<Options, 'environment'>): NewOperation {
  if ((options.machine === undefined) === (options.all !== true)) {
    throw usageError(
      'bad-machine',
      'either the machines are named, or all are meant.',
      'Type: quorate exec --machine 0,3 -- COMMAND      or: quorate exec --all -- COMMAND',
    );
  }
  // Refused before anything is asked.
  timeLimitMs(options.timeout);
  const [only = '', ...more] = words;
  const machines = options.machine === undefined ? 'all' : machineList(options.machine);
  if (machines.length > MOST_NAMED) {
    throw usageError(
      'bad-machine',
      `${machines.length} machines are too many for one command: at most ${MOST_NAMED} are named.`,
      'On all of them: quorate exec --all -- COMMAND      or in several commands',
    );
  }
  return {
    command: more.length === 0 ? ['/bin/sh', '-c', only] : [only, ...more],
    machines,
    timeout: options.timeout,
    background: options.background ?? false,
  };
}

async function inBackground(operation: Operation, options: OutputOptions): Promise<void> {
  const { token: _, ...told } = operation;
  await print(told, options, () => operation.id);
  process.stderr.write(
    `Operation ${operation.id} goes on by itself. See it with: quorate show-operation ${operation.id} --output\n`,
  );
}
