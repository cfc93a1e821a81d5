import path from 'node:path';
import type { OperationReport, ToldOperation, ToldOperations } from '../../api/agent-operations.js';
import { reasonOf } from '../../errors.js';
import { markOf } from '../../process.js';
import type { AgentFiles } from '../files.js';
import { say } from '../say.js';
import { endWithout } from './end.js';
import { groupLives, signalGroup } from './group.js';
import { JournalEntry } from './journal.js';
import { type Begun, Operation } from './operation.js';
import { Run, type Work } from './run.js';

/** Commands that run at once; others wait for their turn. */
const AT_ONCE = 16;
/** How long leftovers may take to leave, and how long they may take once they are killed. */
const LEFTOVER_MS = 2000;

/** Where operations keep what is theirs on the machine's disk. */
const journalOf = ({ disk }: AgentFiles) => path.join(disk, 'operations');
/** What commands write without saying where lies beside the agent's own files, not among them. */
const homeOf = ({ disk }: AgentFiles) => path.join(disk, 'home');

/** The operations of this machine: begun once at most, told until the environment knows all of it. */
export class Operations {
  readonly #all = new Map<number, Operation>();
  readonly #running = new Set<Run>();
  #send: ((message: OperationReport) => boolean) | null = null;
  /** Nothing is begun: the machine is being shut down, or what was begun before cannot be read. */
  #shut = false;

  constructor(
    private readonly machine: { readonly id: string; readonly files: AgentFiles },
    private readonly session: string,
  ) {}

  /** What an earlier run of the agent left: its commands are ended, and nobody knows how they ended. */
  async open(): Promise<void> {
    const entries = await JournalEntry.all(journalOf(this.machine.files)).catch((error) => {
      this.#shut = true;
      say(`What was begun on this machine cannot be read, so nothing is begun: ${reasonOf(error)}`);
      return [];
    });
    for (const entry of entries) {
      if (entry.end === null) {
        await endLeftover(entry);
        await entry
          .ended(endWithout('unknown', 'The machine’s agent ended while it ran, and with it the command.'))
          .catch((error) => say(`operation ${entry.id}: ${reasonOf(error)}`));
        say(`operation ${entry.id} ran when this agent's predecessor ended; it is not begun again.`);
      }
      this.#all.set(entry.id, this.#operation(entry.id, entry));
    }
  }

  /** A connection to a controller is there, which tells next what is written down. */
  connected(send: (message: OperationReport) => boolean): void {
    this.#send = send;
  }

  lost(): void {
    this.#send = null;
  }

  hear(told: ToldOperations | ToldOperation): void {
    if (told.type === 'operations') {
      // What is not among them is asked for: it may be over, or be unknown and wait for what this machine knows.
      for (const operation of [...this.#all.values()]) {
        if (operation.known || told.open.includes(operation.id)) operation.connected();
        else this.#all.delete(operation.id);
      }
      return;
    }
    let operation = this.#all.get(told.id);
    if (operation === undefined) {
      if (told.result === null || this.#shut) return;
      operation = this.#operation(told.id, null);
      this.#all.set(told.id, operation);
    }
    operation.hear(told);
  }

  /** Ends what runs, in order, and writes down how; it is told by the next run of the agent. */
  async stop(): Promise<void> {
    this.#shut = true;
    const running = [...this.#running];
    for (const run of running) run.end('shutdown');
    await Promise.allSettled(running.map(({ ended }) => ended));
  }

  #operation(id: number, entry: JournalEntry | null): Operation {
    return new Operation(id, entry, {
      session: this.session,
      room: () => !this.#shut && [...this.#all.values()].filter(({ active }) => active).length < AT_ONCE,
      send: (message) => this.#send?.(message) ?? false,
      begin: (number, work, onChange) => this.#begin(number, work, onChange),
      forgotten: (number) => {
        this.#all.delete(number);
        this.#stepAll();
      },
    });
  }

  async #begin(id: number, work: Work, onChange: () => void): Promise<Begun> {
    const { files } = this.machine;
    const entry = await JournalEntry.begin(journalOf(files), id);
    const run = await Run.begin({
      work,
      entry,
      directory: homeOf(files),
      env: environmentOf(id, this.machine),
      onOutput: onChange,
    });
    this.#running.add(run);
    void run.ended
      .catch((error) => say(`operation ${id}: its end is not on the disk: ${reasonOf(error)}`))
      .then(() => {
        this.#running.delete(run);
        this.#stepAll();
      });
    return { entry, end: (why) => run.end(why) };
  }

  /** There may be room for another one. */
  #stepAll(): void {
    for (const operation of [...this.#all.values()]) operation.step();
  }
}

/** Nothing of the agent's own environment but where programs are, and whose instance a process belongs to. */
function environmentOf(id: number, { id: machine, files }: { readonly id: string; readonly files: AgentFiles }) {
  const { PATH = '/usr/local/bin:/usr/bin:/bin', QUORATE_INSTANCE } = process.env;
  return {
    PATH,
    HOME: homeOf(files),
    LANG: 'C.UTF-8',
    ...(QUORATE_INSTANCE === undefined ? {} : { QUORATE_INSTANCE }),
    QUORATE_MACHINE: machine,
    QUORATE_OPERATION: String(id),
  };
}

/** Its group, if it is still led by the process that was begun. */
async function endLeftover(entry: JournalEntry): Promise<void> {
  const mark = await entry.process();
  if (mark === null || (await markOf(mark.pid))?.started !== mark.started) return;
  signalGroup(mark.pid, 'SIGTERM');
  const deadline = performance.now() + LEFTOVER_MS;
  while (groupLives(mark.pid) && performance.now() < deadline + LEFTOVER_MS) {
    if (performance.now() > deadline) signalGroup(mark.pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
