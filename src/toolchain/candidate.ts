import { execFile } from 'node:child_process';
import { reasonOf } from '../errors.js';
import { parseVersion, type ServerSpec, versionFault } from './servers.js';

export type Trial = { readonly version: string } | { readonly fault: string };

/** Runs a file with `--version`: the only proof that it is the server, runs on this machine and is recent enough. */
export function tryCandidate(spec: ServerSpec, file: string): Promise<Trial> {
  return new Promise((resolve) => {
    execFile(file, ['--version'], { timeout: 20_000, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      if (error) return resolve({ fault: runFault(error, stderr) });
      const version = parseVersion(spec, stdout);
      if (version === null) return resolve({ fault: `does not answer --version as ${spec.kind} does` });
      const fault = versionFault(spec, version);
      resolve(fault === null ? { version } : { fault });
    });
  });
}

function runFault(error: Error & { code?: unknown; killed?: boolean; signal?: unknown }, stderr: string): string {
  if (error.code === 'ENOENT') return 'does not exist';
  if (error.code === 'EACCES') return 'is not executable';
  if (error.killed) return 'did not answer --version within 20 s';
  const said = stderr.trim().split('\n')[0];
  if (said) return `does not run: ${said}`;
  if (error.signal) return `does not run: ended by ${error.signal}`;
  return `does not run: ${typeof error.code === 'number' ? `exit code ${error.code}` : reasonOf(error)}`;
}
