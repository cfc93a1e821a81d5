import { startTracing } from '../tracing/tracing.js';

/**
 * Runs a command in a span that is named as the command, and sends it when the command is over. Its arguments are not told:
 * they may hold what is nobody else's.
 */
export async function traced<T>(command: string, run: () => Promise<T>): Promise<T> {
  const tracing = await startTracing({ name: 'quorate' }, (sentence) => process.stderr.write(`quorate: ${sentence}\n`));
  if (tracing === null) return await run();
  try {
    return await tracing.within(`quorate ${command}`, {}, run);
  } finally {
    await tracing.end();
  }
}
