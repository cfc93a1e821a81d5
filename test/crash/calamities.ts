import { until } from '../support/home.js';
import type { Case } from './cases.js';
import type { Held } from './holds.js';
import type { Script } from './scripts.js';
import type { Stage } from './stage.js';

/** What a calamity needs to know of the trial it befalls. */
export interface Trial {
  readonly stage: Stage;
  readonly script: Script;
  readonly held: Held;
  /** What is typed after the run was terminated. */
  readonly again: readonly (readonly string[])[];
  /** Resolves when all that was typed has ended. */
  readonly typed: Promise<unknown>;
}

/** Does it, and lets the held activity go on (if its process still lives) at the right moment. */
export async function befall({ calamity }: Case, trial: Trial): Promise<void> {
  const { stage, held, typed, script, again } = trial;
  switch (calamity) {
    case 'worker':
      kill(held.pid);
      break;
    case 'all workers':
      for (const pid of stage.workers()) kill(pid);
      break;
    case 'engine':
      kill(await stage.enginePid());
      break;
    case 'target machine':
      await killMachine(trial);
      break;
    case 'until the run has ended':
      await typed;
      return stage.holds.release();
    case 'until the run was terminated and the next one has ended':
      await terminate(trial);
      await typed;
      if (!script.singleton) await stage.type(again);
      return stage.holds.release();
  }
  await stage.home.ok('engine', 'start');
  stage.holds.release();
}

/** The machine that the activity acts on, or whose worker it runs on: gone for good, or (the only one) without power once. */
async function killMachine({ stage, held }: Trial): Promise<void> {
  const running = (await stage.instances()).filter(({ state }) => state === 'running');
  const named = machineIn(held.args);
  const victim = running.find(({ tags }) => tags.machine === named) ?? running[0];
  if (victim === undefined) return;
  const cloud = await stage.cloud();
  const voters = running.length > 1 ? (await stage.status()).ha.voters : 1;
  if (voters > 1 || victim.tags.machine !== running[0]?.tags.machine) {
    await cloud.terminate(victim.id);
    return;
  }
  await cloud.stop(victim.id, { graceMs: 0 });
  await cloud.startAgain(victim.id);
}

/** The first machine that the arguments name, wherever they do. */
export function machineIn(value: unknown): string | null {
  if (Array.isArray(value)) return firstOf(value);
  if (typeof value !== 'object' || value === null) return null;
  const { machine, machines } = value as { machine?: unknown; machines?: unknown };
  if (typeof machine === 'string') return machine;
  if (Array.isArray(machines) && typeof machines[0] === 'string') return machines[0];
  return firstOf(Object.values(value));
}

function firstOf(values: readonly unknown[]): string | null {
  for (const value of values) {
    const machine = machineIn(value);
    if (machine !== null) return machine;
  }
  return null;
}

async function terminate({ stage, held, script }: Trial): Promise<void> {
  const { client } = await stage.temporal();
  const handle = client.workflow.getHandle(held.workflowId);
  await handle.terminate('by the test');
  if (!script.singleton) return;
  // Singletons are started again by any controller's worker that starts.
  const workers = new Set(stage.workers());
  for (const { pid, command } of stage.home.processes()) {
    if (/\/workers\/controller\.js/.test(command) && pid !== held.pid) process.kill(pid, 'SIGTERM');
  }
  await until('a worker to start', async () => stage.workers().some((pid) => !workers.has(pid)));
  await until('the singleton to run again', async () => (await handle.describe()).status.name === 'RUNNING');
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
