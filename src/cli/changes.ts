import type { Command } from 'commander';
import type { Changes } from '../api/changes.js';
import { duration } from '../api/duration.js';
import { columns, type OutputOptions, print, since, withEnvironment, withFormat } from './output.js';

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .addHelpText('after', '\nExamples:\n  quorate changes\n  quorate changes --format json')
    .action(async (options: OutputOptions & { environment?: string }) => {
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        const { body } = await client.request<Changes>('GET', '/v1/changes');
        await print(body.changes, options, () =>
          body.changes.length === 0
            ? 'No changes yet.'
            : columns(
                ['CHANGE', 'KIND', 'STATE', 'BY', 'BEGAN', 'TOOK', 'RESULT'],
                body.changes.map((change) => [
                  change.id,
                  change.kind,
                  change.state,
                  change.by,
                  `${since(change.startedAt)} ago`,
                  change.endedAt ? duration((Date.parse(change.endedAt) - Date.parse(change.startedAt)) / 1000) : '',
                  change.result || change.summary,
                ]),
              ),
        );
      } finally {
        client.close();
      }
    });
}
