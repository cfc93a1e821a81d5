// Ends everything that belongs to a test's home once the test lets go of our stdin, killed or not, and removes the home
// (unless it said `keep`).
import { readdirSync, readFileSync, rmSync } from 'node:fs';

const dir = process.argv[2];
if (!dir?.includes('quorate-test-')) throw new Error(`not a test's home: ${dir}`);

function processes() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => {
      try {
        // The test itself and its runner are not ours: only what was given the home as its own.
        const environ = readFileSync(`/proc/${name}/environ`, 'utf8');
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8');
        return (environ.includes(dir) || command.includes(dir)) && !command.includes('reaper.mjs');
      } catch {
        return false;
      }
    })
    .map(Number);
}

let keep = false;
process.stdin.on('data', (said) => {
  keep ||= String(said).includes('keep');
});
process.stdin.on('end', async () => {
  for (let round = 0; round < 200; round++) {
    const left = processes();
    if (left.length === 0) break;
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  if (!keep) rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  process.exit(0);
});
