import { readFile, statfs } from 'node:fs/promises';
import { reasonOf } from '../errors.js';
import { expiresAt } from '../pki/certificate.js';
import type { AgentReport } from '../state/documents.js';
import { readIfThere } from '../store/files.js';
import type { AgentFiles } from './files.js';
import { say } from './say.js';
import type { Note } from './status-log/status-log.js';

const EVERY_MS = 30_000;

/** With less it is full: what the agent keeps does not fit any more. What has more than twice that has room again. */
const FULL_BYTES = 4 * 1024 ** 2;

/** Whether a disk is full, of which that was said before. Pure. */
export function isFull(wasFull: boolean, freeBytes: number): boolean {
  return freeBytes < (wasFull ? 2 * FULL_BYTES : FULL_BYTES);
}

/** What runs out on a machine, slowly: its disk and its certificates. */
export class Health {
  #report: Pick<AgentReport, 'disk' | 'certificateEnds'> = {};
  #full = false;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly files: AgentFiles,
    private readonly onFirst: () => void,
    private readonly note: Note,
  ) {
    this.#timer = setInterval(() => void this.#look(), EVERY_MS);
    void this.#look().then(() => this.onFirst());
  }

  report(): Pick<AgentReport, 'disk' | 'certificateEnds'> {
    return this.#report;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    try {
      const { bavail, blocks, bsize } = await statfs(this.files.disk);
      this.#judge(bavail * bsize);
      const certificateEnds = (await firstEnd(this.files)).toISOString();
      this.#report = { disk: { freeBytes: bavail * bsize, totalBytes: blocks * bsize }, certificateEnds };
    } catch (error) {
      say(`The machine's disk and certificates could not be looked at: ${reasonOf(error)}`, 'warn');
    }
  }

  #judge(freeBytes: number): void {
    const full = isFull(this.#full, freeBytes);
    if (full === this.#full) return;
    this.#full = full;
    if (full) this.note('disk', 'full', `There are ${freeBytes} bytes left on the machine's disk.`);
    else this.note('disk', 'has-room', 'There is room on the machine’s disk again.');
  }
}

/** The end of whichever certificate ends first; a machine that is no controller has its own alone. */
async function firstEnd({ own, member, state, membership }: AgentFiles): Promise<Date> {
  const others = await Promise.all([member, state, membership].map((file) => readIfThere(file)));
  const ends = [await readFile(own, 'utf8'), ...others.filter((pem) => pem !== null)].map((pem) => expiresAt(pem));
  return new Date(Math.min(...ends.map((end) => end.getTime())));
}
