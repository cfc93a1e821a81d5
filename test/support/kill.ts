import { signal as send } from '../../src/process.js';

/**
 * Signals one process; whoever is gone is gone. One that was not found is refused: 0 would be the tests' own group, with
 * whatever started them.
 */
export function kill(pid: number | null | undefined, signal: NodeJS.Signals = 'SIGKILL'): void {
  if (!pid || pid < 0) throw new Error(`there is no process to send ${signal} to`);
  send(pid, signal);
}
