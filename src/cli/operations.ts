import type { Command } from 'commander';
import { duration } from '../api/duration.js';
import type { OperationSummary, Operations } from '../api/operations.js';
import { usageError } from '../errors.js';
import { commandText } from './operation-text.js';
import { columns, type OutputOptions, print, since, withEnvironment, withFormat } from './output.js';

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly limit: string;
}

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .option('--limit <n>', 'how many, the latest first; at most 500', '20')
    .addHelpText('after', '\nExamples:\n  quorate operations\n  quorate operations --format json')
    .action(async (options: Options) => {
      if (!/^[1-9]\d{0,2}$/.test(options.limit) || Number(options.limit) > 500) {
        throw usageError('bad-limit', `'${options.limit}' is no number of operations.`, 'Ask for 1 to 500.');
      }
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        const { body } = await client.request<Operations>('GET', `/v1/operations?limit=${options.limit}`);
        await print(body.operations, options, () => table(body.operations));
      } finally {
        client.close();
      }
    });
}

function table(operations: readonly OperationSummary[]): string | Promise<string> {
  if (operations.length === 0) return 'No operations yet. Run a command with: quorate exec --machine 0 -- uptime';
  return columns(
    ['OPERATION', 'STATE', 'MACHINES', 'BY', 'BEGAN', 'TOOK', 'COMMAND'],
    operations.map((operation) => [
      operation.id,
      operation.state,
      machinesText(operation),
      operation.by,
      `${since(operation.createdAt)} ago`,
      operation.endedAt === null
        ? ''
        : duration(Math.max(0, Date.parse(operation.endedAt) - Date.parse(operation.createdAt)) / 1000),
      commandText(operation.command, 40),
    ]),
  );
}

/** "3", or "3: 2 done, 1 failed" where they differ. */
function machinesText({ machines, counts }: OperationSummary): string {
  const parts = Object.entries(counts).map(([state, count]) => `${count} ${state}`);
  return parts.length > 1 ? `${machines}: ${parts.join(', ')}` : String(machines);
}
