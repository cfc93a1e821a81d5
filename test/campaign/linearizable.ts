import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { QuorateError } from '../../src/errors.js';
import { packageRoot } from '../../src/package.js';
import { withoutUndone } from './checks.js';
import { type Anomaly, byKey, type Read, type Write } from './history.js';

interface Verdict {
  readonly key: string;
  readonly result: 'Ok' | 'Illegal' | 'Unknown';
  readonly longest: readonly number[];
}

/**
 * Whether Porcupine can be asked: it is run with Go. Where results count (CI) its absence is a failure, as a check that cannot
 * be made is not passed; elsewhere whoever asks says that it was not made.
 */
export function hasPorcupine(): boolean {
  if (spawnSync('go', ['version'], { stdio: 'ignore' }).status === 0) return true;
  if (!process.env.CI) return false;
  throw new QuorateError(
    'no-go',
    'the campaign checks compare-and-set with Porcupine, which needs Go 1.22 or newer; there is no go in the PATH.',
    { todo: 'Install it (Debian: apt-get install golang-go; https://go.dev/dl) and run it again.' },
  );
}

/**
 * Whether there is an order of all operations, each between its invocation and its return, in which every register did what
 * a register does. Asks Porcupine. Reads must be such that cannot be old.
 *
 * @param seen values that were read at any time, also by reads that may be old
 * @param directory where a picture of each register that failed is put
 */
export async function checkLinearizable(
  operations: readonly (Write | Read)[],
  directory: string,
  seen: ReadonlySet<string> = new Set(),
): Promise<readonly Anomaly[]> {
  const kept = [...byKey(operations).values()].flatMap((all) => {
    const reads = all.filter((operation) => operation.kind === 'read');
    const writes = all.filter((operation) => operation.kind === 'write');
    return [...withoutUndone(writes, new Set([...seen, ...reads.map(({ value }) => value)])), ...reads];
  });
  const verdicts = await porcupine(kept, directory);
  return verdicts.flatMap(({ key, result, longest }) => {
    if (result === 'Ok') return [];
    if (result === 'Unknown') return [{ what: `${key}: Porcupine found no answer in time`, operations: [] }];
    const placed = new Set(longest);
    const stuck = kept.filter((operation, index) => operation.key === key && !placed.has(index)).sort(byInvocation);
    const what = `${key}: is not linearizable; no order goes further than ${longest.length} operations (picture: ${join(directory, `${key}.html`)})`;
    return [{ what, operations: stuck.slice(0, 5) }];
  });
}

const byInvocation = (a: Write | Read, b: Write | Read) => a.invokedAt - b.invokedAt;

async function porcupine(operations: readonly (Write | Read)[], directory: string): Promise<readonly Verdict[]> {
  const child = spawn('go', ['run', '.', directory], {
    cwd: join(packageRoot(), 'test/campaign/porcupine'),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  // Its end says more than a pipe that broke.
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(operations.map(told)));
  const code = await ended;
  if (code !== 0) throw new Error(`Porcupine ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as Verdict[];
}

function told({ client, key, kind, version, value, outcome, invokedAt, returnedAt }: Write | Read, index: number) {
  const nanoseconds = (ms: number) => Math.round(ms * 1e6);
  return {
    ...{ index, client, key, kind, version, value, outcome },
    ...{ call: nanoseconds(invokedAt), return: nanoseconds(returnedAt) },
  };
}
