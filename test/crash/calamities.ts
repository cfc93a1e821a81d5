import type { Instance } from '../../src/cloud/cloud.js';
import { ensureSingletons } from '../../src/temporal/singletons.js';
import { until } from '../support/home.js';
import { kill } from '../support/kill.js';
import type { Case } from './cases.js';
import type { Held } from './holds.js';
import type { Script } from './scripts.js';
import type { Stage } from './stage.js';

/** What a calamity needs to know of the trial it befalls. */
export interface Trial {
  readonly stage: Stage;
  readonly script: Script;
  readonly held: Held;
  /** Does what follows after the run was terminated. */
  readonly again: () => Promise<unknown>;
  /** Resolves when what the script is for has come to its end. */
  readonly played: Promise<unknown>;
}

/** Does it, and lets the held activity go on (if its process still lives) at the right moment. */
export async function befall({ calamity }: Case, trial: Trial): Promise<void> {
  const { stage, held, played, script, again } = trial;
  switch (calamity) {
    case 'worker':
      if (held.pid !== null) kill(held.pid);
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
      await played;
      return stage.holds.release();
    case 'until the run was terminated and the next one has ended':
      await terminate(trial);
      await played;
      if (!script.singleton) await again();
      return stage.holds.release();
  }
  await stage.site.startEngine();
  stage.holds.release();
}

/**
 * The machine that the activity acts on, or any other where that is gone or none is named: gone for good, or without power
 * once where no majority would be left without it. Of two voters the other one goes on by itself.
 */
async function killMachine({ stage, held }: Trial): Promise<void> {
  const running = (await stage.instances()).filter(({ state }) => state === 'running');
  const named = machineIn(held.args);
  const victim = running.find(({ tags }) => tags.machine === named) ?? running[0];
  if (victim === undefined) return;
  if (running.length > 1 && (await canBeMissed(stage, victim, running))) await stage.end(victim.id);
  else await stage.powerCycle(victim.id);
}

async function canBeMissed(stage: Stage, victim: Instance, running: readonly Instance[]): Promise<boolean> {
  const { ha, controllers } = await stage.status();
  const voters = controllers.filter(({ member }) => member?.vote);
  if (!voters.some(({ instance }) => instance === victim.id)) return true;
  if (ha.voters <= 2) return ha.voters === 2;
  const well = voters.filter(({ instance, member }) => member?.healthy && running.some(({ id }) => id === instance));
  return well.filter(({ instance }) => instance !== victim.id).length > ha.voters / 2;
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
  const others = stage.site.workers().filter((pid) => pid !== held.pid);
  if (others.length > 0) {
    for (const pid of others) kill(pid, 'SIGTERM');
    await until('a worker to start', async () => stage.workers().some((pid) => !workers.has(pid)));
  } else {
    // The held one is the only one there is, and must live for its effect to come late.
    const { environment } = await stage.status();
    await ensureSingletons(client, environment);
  }
  await until('the singleton to run again', async () => (await handle.describe()).status.name === 'RUNNING');
}
