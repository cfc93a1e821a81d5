import { access, constants, statfs } from 'node:fs/promises';
import { QuorateError } from '../../errors.js';
import type { Store } from '../../store/store.js';
import { judgeDisks } from './disks.js';
import { ec2Leftovers } from './ec2-leftovers.js';
import { type Check, check, type Judged, well, wrong } from './finding.js';
import { askNamespace, judgeNamespace } from './namespace.js';

/**
 * What is looked at on the operator's machine, whatever environments there are.
 * @param unknown UUID of the environment that may be removed though it is not known here
 * @param region of EC2, besides those of environments that are known here
 */
export const machineChecks = (unknown: string | undefined, region: string | undefined): readonly Check<Store>[] => [
  { name: 'servers', needs: [], run: servers },
  check('disk', [], disk, judgeDisks),
  { name: 'engine', needs: [], run: engine },
  { name: 'local cloud', needs: [], run: (store) => leftovers(store, unknown) },
  { name: 'ec2', needs: [], run: (store) => ec2Leftovers(store, unknown, region) },
];

async function servers(store: Store): Promise<Judged[]> {
  const { findServer } = await import('../../toolchain/find.js');
  const judged: Judged[] = [];
  for (const kind of ['mongod', 'temporal'] as const) {
    try {
      const found = await findServer(kind, { cacheDir: store.dirs.toolchain });
      judged.push(well(`${kind} ${found.version} (${found.source}) ${found.path}`));
      for (const { candidate, reason } of found.passedOver)
        judged.push(well(`${kind}: passed over ${candidate}: ${reason}`));
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      judged.push(wrong(error.message.replace(/\.$/, ''), error.todo));
    }
  }
  return judged;
}

async function disk({ dirs }: Store) {
  await access(dirs.data, constants.W_OK);
  const { bavail, blocks, bsize } = await statfs(dirs.data);
  return [{ whose: dirs.data, disk: { freeBytes: bavail * bsize, totalBytes: blocks * bsize } }];
}

const START = 'Start it with: quorate engine start';

async function engine(store: Store): Promise<Judged[]> {
  const { engineStatus } = await import('../../engine/engine.js');
  const { running, worker, address, problem, log, workerLog } = await engineStatus(store.dirs);
  if (!running) {
    const environments = await store.listEnvironments();
    // Nothing waits for it where there is no environment yet.
    if (environments.length === 0 && problem === null) return [well('Temporal was not started yet; nothing needs it')];
    const why = problem === null ? '' : ` (${problem.replace(/\.$/, '')})`;
    return [
      wrong(`Temporal does not answer${why}: changes and healing rest`, log ? `${START}      Its log: ${log}` : START),
    ];
  }
  const judged = worker
    ? [well(`Temporal is up at ${address}, its worker runs`)]
    : [wrong(`Temporal is up at ${address}, its worker is not`, `${START}      Its log: ${workerLog}`)];
  return [...judged, ...judgeNamespace(await askNamespace(store))];
}

/** Instances on this machine's local cloud that no known environment owns, and records that cannot be read. */
async function leftovers(store: Store, unknown: string | undefined): Promise<Judged[]> {
  const { openLocalCloud } = await import('../../cloud/local/open.js');
  const cloud = openLocalCloud(store.dirs.localCloud);
  const known = new Set((await store.readEnvironments()).map(({ uuid }) => uuid));
  const judged: Judged[] = [];
  const uuids = await cloud.environments();
  for (const uuid of uuids) {
    for (const problem of await cloud.problems(uuid)) {
      judged.push(
        wrong(problem.replace(/\.$/, ''), 'Terminate the instance, or remove its directory when nothing of it runs.'),
      );
    }
    if (known.has(uuid)) continue;
    const live = (await cloud.list(uuid)).filter(({ state }) => state !== 'terminated');
    const what = live.map(({ id, state, tags }) => `${id} (machine ${tags.machine}, ${state})`).join(', ');
    judged.push(
      wrong(
        `environment ${uuid} is not known here, and ${live.length === 0 ? 'files of it are left' : `instances of it are left: ${what}`}`,
        `They may hold the only copy of its data. If nobody needs it: quorate doctor --fix --unknown ${uuid}`,
        unknown === uuid ? { kind: 'remove-unknown', uuid } : null,
      ),
    );
  }
  return judged.length > 0 ? judged : [well(`nothing is left over among ${uuids.length} environments`)];
}
