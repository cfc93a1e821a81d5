import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { Operation } from '../api/operations.js';
import { hasEnded } from '../client/operation.js';
import { type OutputOptions, print, withEnvironment, withFormat } from './output.js';
import { operationId } from './show-operation.js';

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .argument('<id>', 'the operation, as `quorate operations` names it')
    .addHelpText(
      'after',
      '\nWhere it waits it is not begun; where it runs its processes are asked to leave, and killed after five seconds.\n\nExample:\n  quorate cancel-operation 7',
    )
    .action(async (text: string, options: OutputOptions & { environment?: string }) => {
      const id = operationId(text);
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        const { body } = await client.request<Operation>('POST', `/v1/operations/${id}/cancel`, {
          idempotencyKey: randomUUID(),
        });
        const { token: _, ...told } = body;
        await print(told, options, () => said(body));
      } finally {
        client.close();
      }
    });
}

function said({ id, state, results, cancelledBy }: Operation): string {
  const open = results.filter((result) => !hasEnded(result)).map(({ machine }) => machine);
  if (open.length > 0) {
    return `Operation ${id} is being ended on machine ${open.join(', ')}. See how it went: quorate show-operation ${id}`;
  }
  return cancelledBy === ''
    ? `Operation ${id} had ended already (${state}); nothing was changed.`
    : `Operation ${id} has ended: ${state}.`;
}
