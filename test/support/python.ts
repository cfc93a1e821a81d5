import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { dirsOf } from '../../src/store/dirs.js';

const run = promisify(execFile);

/**
 * The Python that has what a list of pinned versions names: a virtual environment in the person's own cache, one for each
 * list. Made by pip where it is not there yet, so that the machine's own configuration of pip holds.
 * @param name what it is for, part of the directory's name
 * @param requirements path of the list
 */
export async function pythonWith(name: string, requirements: string): Promise<string> {
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const cache = dirsOf(process.env).cache;
  const place = path.join(cache, `${name}-${digest}`);
  const program = (directory: string) => path.join(directory, 'bin', 'python');
  if (existsSync(place)) return program(place);
  await mkdir(cache, { recursive: true, mode: 0o700 });
  const staging = await mkdtemp(path.join(cache, `${name}-`));
  try {
    await run('python3', ['-m', 'venv', staging]);
    await run(program(staging), ['-m', 'pip', 'install', '--quiet', '--no-deps', '-r', requirements]);
    // Whoever was first has made the same.
    await rename(staging, place).catch((error) => {
      if (!existsSync(place)) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return program(place);
}
