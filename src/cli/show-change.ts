import type { Command } from 'commander';
import type { Change } from '../api/changes.js';
import { storyText } from './change-story.js';
import { colours } from './colour.js';
import { type OutputOptions, print, symbols, withEnvironment, withFormat } from './output.js';

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly all?: boolean;
}

/** Narrow terminals get what fits; what is piped is as wide as a page. */
const WIDTH = { least: 60, page: 100 } as const;

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .argument('<id>', 'the change, as `quorate changes` names it, or its number')
    .option('--all', 'every step on its own, also where the same came many times in a row')
    .addHelpText(
      'after',
      '\nRead from the environment itself; Temporal may be down.\n\nExamples:\n  quorate show-change demo-1f2e3d4c-7\n  quorate show-change 7 --format yaml',
    )
    .action(async (id: string, options: Options) => {
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        const { body } = await client.request<Change>('GET', `/v1/changes/${encodeURIComponent(id)}`);
        const width = Math.max(WIDTH.least, Math.min(process.stdout.columns ?? WIDTH.page, WIDTH.page));
        const look = { sign: symbols(options), paint: colours(process.stdout), width, all: options.all ?? false };
        await print(body, options, () => storyText(body, look));
      } finally {
        client.close();
      }
    });
}
