import type { Command } from 'commander';
import { duration } from '../api/duration.js';
import type { Operation } from '../api/operations.js';
import { usageError } from '../errors.js';
import { commandText, resultText, size, tookText } from './operation-text.js';
import { columns, type OutputOptions, print, since, withEnvironment, withFormat } from './output.js';

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly output?: boolean;
}

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .argument('<id>', 'the operation, as `quorate operations` names it')
    .option('--output', 'all that it wrote and writes, until it ends; the exit code is as that of exec')
    .addHelpText('after', '\nExamples:\n  quorate show-operation 7\n  quorate show-operation 7 --output')
    .action(async (text: string, options: Options) => {
      const id = operationId(text);
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        const { body } = await client.request<Operation>('GET', `/v1/operations/${id}`);
        if (options.output) {
          const { showOutput } = await import('./follow-operation.js');
          await showOutput(client, body, options);
          return;
        }
        const { token: _, ...told } = body;
        await print(told, options, () => story(body));
      } finally {
        client.close();
      }
    });
}

/** "7" as the number that it must be. */
export function operationId(text: string): string {
  if (/^[1-9]\d{0,8}$/.test(text)) return text;
  throw usageError(
    'bad-operation',
    `'${text}' is no operation.`,
    'Operations are numbers. See them with: quorate operations',
  );
}

async function story(operation: Operation): Promise<string> {
  const { id, command, by, createdAt, timeoutSeconds, cancelledBy, state, results } = operation;
  const head = [
    `operation ${id}   ${state}   ${commandText(command)}`,
    `asked for by ${by} ${since(createdAt)} ago; time limit ${duration(timeoutSeconds)}${cancelledBy === '' ? '' : `; cancelled by ${cancelledBy}`}`,
  ];
  const table = await columns(
    ['MACHINE', 'STATE', 'TOOK', 'OUTPUT', 'HOW'],
    results.map((result) => [
      result.machine,
      result.state,
      tookText(result),
      size(result.keptBytes),
      resultText(result),
    ]),
  );
  const wrote = results.some(({ keptBytes }) => keptBytes > 0);
  return [...head, '', table, ...(wrote ? ['', `What it wrote: quorate show-operation ${id} --output`] : [])].join(
    '\n',
  );
}
