// In a fresh clone: installs and builds what is missing. Run by itself, or imported by what needs it done first.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const readJson = (...segments) => JSON.parse(readFileSync(path.join(root, ...segments), 'utf8'));

function fail(message, status = 1) {
  process.stderr.write(`${message}\n`);
  process.exit(status);
}

const oldest = readJson('package.json').engines.node.replace('>=', '');
const isOlder = (a, b) => a[0] - b[0] || a[1] - b[1];
if (isOlder(process.versions.node.split('.'), oldest.split('.')) < 0) {
  fail(
    `Quorate needs Node ${oldest} or newer, and this is ${process.versions.node}: install a newer one (https://nodejs.org).`,
  );
}

/** Whether what is installed is what the lockfile says; packages of other platforms are not installed, and optional. */
function isInstalled() {
  let installed;
  try {
    installed = readJson('node_modules', '.package-lock.json').packages;
  } catch {
    return false; // npm writes it last
  }
  return Object.entries(readJson('package-lock.json').packages).every(([folder, locked]) => {
    if (folder === '') return true;
    const found = installed[folder];
    return found === undefined ? locked.optional === true : found.version === locked.version;
  });
}

/** Runs a step to its end, its output on stderr: stdout is for what comes after. */
async function step(title, command, args) {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', process.stderr, process.stderr] });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const pass = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, pass);
  const [code, signal] = await new Promise((resolve) => {
    child.on('error', (error) => fail(`${command} cannot be run: ${error.message}`));
    child.on('close', (...end) => resolve(end));
  });
  for (const one of signals) process.off(one, pass);
  if (code !== 0) fail(`${title} failed (${signal ?? `exit code ${code}`}): see above.`);
}

if (!isInstalled()) {
  process.stderr.write('Installing packages\n');
  await step('npm ci', 'npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
}
await step('The build', process.execPath, [path.join(root, 'scripts', 'build.mjs')]);
