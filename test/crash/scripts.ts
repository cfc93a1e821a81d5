import { readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Machine } from '../../src/api/machines.js';
import type { Status } from '../../src/api/status.js';
import { setPriority } from '../support/by-hand.js';
import { secondaryOf } from '../support/environment.js';
import { type Run, until } from '../support/home.js';
import { kill } from '../support/kill.js';
import type { Stage } from './stage.js';

/** Does what a script is for and comes to its end with it; answers in words how it ended. */
type Play = (stage: Stage, before: Status | null) => Promise<string>;

/** How what a history is named for is brought about, and what there must be in the end. */
export interface Script {
  /** Controllers of the environment before; null: it has none before. */
  readonly from: 1 | 3 | null;
  /** Done before anything is held. */
  readonly prepare?: (stage: Stage, before: Status) => Promise<void>;
  readonly play: Play;
  /** Done after its run was terminated; the same again unless told. */
  readonly again?: Play;
  /** Controllers in the end; null: nothing at all is left. */
  readonly to: 1 | 3 | null;
  /** Done afterwards, so that the environment is as others expect it. */
  readonly tidy?: (stage: Stage) => Promise<void>;
  /** It runs for the environment's life: nobody types it, and a worker that starts starts it again. */
  readonly singleton?: true;
}

let asked = 0;
/**
 * Neither the default nor one of the last two values, so that there is something to change although the one before was
 * ended halfway: then the set may still have the one before that.
 */
function otherInterval(): string {
  const value = [300, 400, 600][asked++ % 3];
  return `heartbeat-interval=${value}ms`;
}

/** A controller that is not primary. */
const secondary = (before: Status | null): string => (before === null ? '' : secondaryOf(before));

const ended = ({ code, stdout, stderr }: Run): string => `what was typed ended with ${code}: ${stdout}${stderr}`;

/** Types commands, each to its end. */
const typed =
  (...commands: readonly (readonly string[])[]): Play =>
  async (stage) =>
    ended(await stage.type(commands));

const destroy = ({ name }: Stage) => ['destroy-environment', name, '--yes', '--force'];
const upAndDown = { from: 1, play: typed(['enable-ha'], ['disable-ha']), to: 1, singleton: true } as const;

/** Up and down, after two instances were ended that belong to no machine; what is held meanwhile may hold that up. */
const afterStrays: Play = async (stage, before) => {
  for (let time = 1; time <= 2; time++) await stage.stray(before?.environment.uuid ?? '').catch(String);
  return await upAndDown.play(stage, before);
};

/** A secondary is ended for good, and nobody types anything: it is the sentinel's to see, and to have replaced. */
const lost = {
  from: 3,
  play: async (stage: Stage, before: Status | null) => {
    const machine = secondary(before);
    await stage.end(await stage.instanceOf(machine));
    await stage.replaced(machine);
    return `machine ${machine} was replaced`;
  },
  to: 3,
} as const;

/**
 * Goes on with the controller that was primary when both others were lost: it holds all that was acknowledged, so that nothing
 * may be missing in the end. (With another one, what had reached only those that are lost would be: docs/operating.md.)
 */
const recover: Play = async (stage, before) => {
  const words = ['recover', '--survivor', before?.ha.primary ?? '', '--confirm', stage.name];
  for (;;) {
    const run = await stage.type([words]);
    // The sentinel may have begun a replacement between the two losses, which gives up without a majority; while it begins
    // or ends nobody can say what it is.
    if (!/is being changed already(: replace| \()/.test(run.stderr)) return ended(run);
  }
};

const letIn = async (stage: Stage): Promise<string> => (await stage.type([['cloud', 'ports', '0']])).stdout;

/** One of two exposed ports is closed by hand, twice, and each time put right; what is held meanwhile may hold that up. */
const exposeAndClose: Play = async (stage) => {
  await stage.type([['expose', '0', '18080', '18081']]);
  for (let time = 1; time <= 2; time++) {
    const { code } = await stage.type([['cloud', 'ports', '0', '--close', '18080']]);
    if (code !== 0) break;
    await until('the port to be open again', async () => (await letIn(stage)).includes('18080'), 20).catch(String);
  }
  return ended(await stage.type([['unexpose', '0', '18080', '18081']]));
};

/** Whatever befell it, in the end all is closed, and the document knows. */
async function nothingExposed(stage: Stage): Promise<void> {
  await until('nothing to be exposed', async () => {
    const { stdout, code } = await stage.type([['machines', '--format', 'json']]);
    if (code !== 0) return false;
    const [{ ports, ingress } = { ports: [], ingress: null }] = JSON.parse(stdout) as Machine[];
    if (ports.length > 0) await stage.type([['unexpose', '0', ...ports]]);
    return ports.length === 0 && ingress?.open !== false && (await letIn(stage)).includes(': nothing');
  });
}

/** A controller that is lost is replaced before it goes on; whoever typed it types it again. */
const rotate: Play = async (stage) => {
  for (;;) {
    const run = await stage.type([['rotate-ca', '--overlap', '5s']]);
    if (!/, a controller, is silent|is being changed already/.test(run.stderr)) return ended(run);
    await sleep(1000);
  }
};

/** Damages a secondary's data, so that its mongod cannot start again. */
async function damage(stage: Stage, before: Status): Promise<void> {
  // The member is to be made anew in its place, and not the machine replaced.
  await stage.home.ok('config', 'resync-after=3s', 'auto-replace=false');
  const controller = before.controllers.find(({ machine }) => machine === secondary(before));
  const disk = join((await stage.store()).dirs.localCloud, before.environment.uuid, controller?.instance ?? '', 'disk');
  const data = (await readdir(disk)).filter((name) => /^mongod-\d+$/.test(name));
  for (const file of await readdir(join(disk, data[0] ?? ''))) {
    if (/^WiredTiger(\.wt|\.turtle)?$/.test(file)) await truncate(join(disk, data[0] ?? '', file), 0);
  }
  kill(controller?.services.mongod?.pid);
  await stage.statusWhen('the damaged member to be missed', ({ ha }) => ha.healthyVoters === 2);
}

/** By the name of a recorded history; one that is missing here fails the tests of the cases. */
export const SCRIPTS: Readonly<Record<string, Script>> = {
  bootstrap: {
    from: null,
    play: (stage) => stage.type([['bootstrap', stage.site.cloudName, stage.name]]).then(ended),
    again: (stage) => stage.type([destroy(stage), ['bootstrap', stage.site.cloudName, stage.name]]).then(ended),
    to: 1,
  },
  destroy: { from: 1, play: (stage) => stage.type([destroy(stage)]).then(ended), to: null },
  enableHa: { from: 1, play: typed(['enable-ha']), to: 3 },
  'enableHa-evened': {
    from: 3,
    prepare: async (stage, before) => setPriority(await stage.store(), before, secondary(before), 0.5),
    play: typed(['enable-ha']),
    to: 3,
  },
  'enableHa-resync': {
    from: 3,
    prepare: damage,
    play: typed(['enable-ha']),
    to: 3,
    tidy: async ({ home }) => void (await home.ok('config', 'resync-after=', 'auto-replace=')),
  },
  disableHa: { from: 3, play: typed(['disable-ha']), to: 1 },
  'disableHa-cancelled': {
    from: 3,
    play: async (stage) => {
      const going = stage.type([['disable-ha']]);
      await stage.cancel('withdraw the vote', going);
      return ended(await stage.type([['disable-ha']]));
    },
    again: typed(['disable-ha']),
    to: 1,
  },
  configure: { from: 3, play: (stage) => stage.type([['config', otherInterval()]]).then(ended), to: 3 },
  replace: {
    from: 3,
    play: (stage, before) => stage.type([['replace', secondary(before)]]).then(ended),
    // The one that leaves may be on its way out already, which is not to be asked for twice.
    again: typed(['enable-ha']),
    to: 3,
  },
  rotateCa: { from: 3, play: rotate, to: 3 },
  // The sentinel begins the next one; what is typed afterwards closes the record of one that was terminated at its end.
  'replace-lost': { ...lost, again: typed(['enable-ha']) },
  recover: {
    from: 3,
    prepare: async (stage, before) => {
      const [gone, off] = before.controllers.filter(({ machine }) => machine !== before.ha.primary);
      // One that could start again has to be ended by whoever recovers.
      await Promise.all([stage.end(gone?.instance ?? ''), stage.powerOff(off?.instance ?? '')]);
      await stage.statusWhen('the majority to be missed', ({ stale }) => stale);
    },
    play: recover,
    // Where the set has a majority again by then, there is nothing to recover, and growing back is what is left.
    again: async (stage, before) => `${await recover(stage, before)}; ${ended(await stage.type([['enable-ha']]))}`,
    to: 3,
  },
  switchover: { from: 3, play: typed(['switchover']), to: 3 },
  provisioner: {
    ...upAndDown,
    prepare: async ({ home }) => void (await home.ok('config', 'leftover-grace=1s')),
    play: afterStrays,
    tidy: async ({ home }) => void (await home.ok('config', 'leftover-grace=')),
  },
  firewaller: { from: 1, play: exposeAndClose, to: 1, tidy: nothingExposed, singleton: true },
  cleaner: upAndDown,
  publisher: upAndDown,
  sentinel: upAndDown,
  'sentinel-loss': { ...lost, singleton: true },
};
