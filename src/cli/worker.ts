import type { Command } from 'commander';

export function configure(command: Command): void {
  command
    .addHelpText(
      'after',
      '\nThe same worker that `quorate engine start` runs in the background, with its log on this terminal. Ctrl-C drains it and ends.\n\nExample:\n  quorate worker',
    )
    .action(async () => {
      const { runEngineWorker } = await import('../../workers/engine.js');
      await runEngineWorker();
    });
}
