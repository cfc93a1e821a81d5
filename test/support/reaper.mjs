// Ends everything that belongs to a test's home once the test lets go of our stdin, killed or not, and removes the home
// (unless it said `keep`).
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';

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

/** The bridges of instances with namespaces outlive their processes; each says whose it is. */
function removeBridges() {
  for (const name of process.platform === 'linux' ? readdirSync('/sys/class/net') : []) {
    try {
      if (!readFileSync(`/sys/class/net/${name}/ifalias`, 'utf8').startsWith(`${dir}/`)) continue;
    } catch {
      continue; // It went meanwhile.
    }
    const env = { PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
    spawnSync('ip', ['link', 'delete', 'dev', name], { env, stdio: 'inherit' });
  }
}

/** Control groups of bare machines are named by their directory (test/support/bare/machine.ts); a machine leaves its own soon. */
async function removeGroups() {
  for (let tries = 1; ; tries++) {
    try {
      return removeLeftGroups();
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function removeLeftGroups() {
  for (const top of ['/sys/fs/cgroup', '/sys/fs/cgroup/systemd', '/sys/fs/cgroup/unified']) {
    const groups = existsSync(top)
      ? readdirSync(top).filter((name) => name.includes(`${dir.replaceAll('/', '-')}-`))
      : [];
    for (const group of groups) removeGroup(`${top}/${group}`);
  }
}

function removeGroup(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeGroup(`${directory}/${entry.name}`);
  }
  rmdirSync(directory);
}

let keep = false;
process.stdin.on('data', (said) => {
  keep ||= String(said).includes('keep');
});
process.stdin.on('end', async () => {
  // One that is just being started shows no environment for a moment.
  for (let round = 0, quiet = 0; round < 200 && quiet < 3; round++) {
    const left = processes();
    quiet = left.length === 0 ? quiet + 1 : 0;
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  removeBridges();
  await removeGroups();
  if (!keep) rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  process.exit(0);
});
