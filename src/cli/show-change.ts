import type { Command } from 'commander';
import type { Change } from '../api/changes.js';
import { duration, type OutputOptions, print, symbols, withEnvironment, withFormat } from './output.js';
import { stepLine } from './progress.js';

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .argument('<id>', 'the change, as `quorate changes` names it')
    .addHelpText('after', '\nExample:\n  quorate show-change demo-1f2e3d4c-7')
    .action(async (id: string, options: OutputOptions & { environment?: string }) => {
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        const { body } = await client.request<Change>('GET', `/v1/changes/${encodeURIComponent(id)}`);
        await print(body, options, () => story(body, options));
      } finally {
        client.close();
      }
    });
}

/** The story of one change: what, by whom, each step with its time and its reason, and how it ended. */
function story(change: Change, options: OutputOptions): string {
  const sign = symbols(options);
  const marks = { done: sign.done, running: sign.running, waiting: sign.running, next: sign.next, failed: sign.failed };
  const took = change.endedAt
    ? ` in ${duration((Date.parse(change.endedAt) - Date.parse(change.startedAt)) / 1000)}`
    : '';
  return [
    `${change.id}   ${change.kind}   ${change.state}${took}`,
    change.summary,
    `by ${change.by}, ${change.startedAt}${change.url ? `   ${change.url}` : ''}`,
    '',
    ...change.steps.flatMap((step) => [
      stepLine(marks[step.state], step.text, step.seconds),
      ...(step.reason ? [`  ${sign.note} ${step.reason}`] : []),
    ]),
    ...(change.result ? ['', change.result] : []),
  ].join('\n');
}
