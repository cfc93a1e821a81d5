import { X509Certificate } from 'node:crypto';
import { access, constants, statfs } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Status } from '../api/status.js';
import { QuorateError, reasonOf } from '../errors.js';
import type { Store } from '../store/store.js';
import { type OutputOptions, print, symbols, withFormat } from './output.js';

/** One thing that was looked at. `todo` is empty when all is well. */
interface Finding {
  readonly about: string;
  readonly well: boolean;
  readonly seen: string;
  readonly todo: string;
}

const LOW_DISK_BYTES = 2 * 1024 ** 3;
const SOON_DAYS = 14;

export function configure(command: Command): void {
  withFormat(command)
    .addHelpText('after', '\nChanges nothing. Exit code 1 when something is wrong.\n\nExample:\n  quorate doctor')
    .action(async (options: OutputOptions) => {
      const { openStore } = await import('../store/store.js');
      const store = await openStore();
      const findings = [
        ...(await servers(store)),
        await disk(store),
        await engine(store),
        ...(await leftovers(store)),
        ...(await Promise.all((await store.listEnvironments()).map((name) => environment(store, name)))).flat(),
      ];
      const sign = symbols(options);
      await print(findings, options, () =>
        findings
          .map(
            ({ about, well: good, seen, todo }) =>
              `${good ? sign.done : sign.failed} ${about}: ${seen}${todo ? `\n  ${sign.note} ${todo}` : ''}`,
          )
          .join('\n'),
      );
      if (findings.some((finding) => !finding.well)) process.exitCode = 1;
    });
}

const well = (about: string, seen: string): Finding => ({ about, well: true, seen, todo: '' });
const wrong = (about: string, seen: string, todo: string): Finding => ({ about, well: false, seen, todo });

async function servers(store: Store): Promise<Finding[]> {
  const { findServer } = await import('../toolchain/find.js');
  const findings: Finding[] = [];
  for (const kind of ['mongod', 'temporal'] as const) {
    try {
      const found = await findServer(kind, { cacheDir: store.dirs.toolchain });
      findings.push(well(kind, `${found.version} (${found.source}) ${found.path}`));
      for (const { candidate, reason } of found.passedOver)
        findings.push(well(kind, `passed over ${candidate}: ${reason}`));
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      findings.push(wrong(kind, error.message, error.todo));
    }
  }
  return findings;
}

async function disk(store: Store): Promise<Finding> {
  await access(store.dirs.data, constants.W_OK);
  const { bavail, bsize } = await statfs(store.dirs.data);
  const free = bavail * bsize;
  const seen = `${(free / 1024 ** 3).toFixed(1)} GiB free under ${store.dirs.data}`;
  return free < LOW_DISK_BYTES
    ? wrong('disk', seen, 'Free some space: each controller needs about 1 GiB.')
    : well('disk', seen);
}

async function engine(store: Store): Promise<Finding> {
  const { engineStatus } = await import('../engine/engine.js');
  const { running, worker, address } = await engineStatus(store.dirs);
  if (!running)
    return wrong('engine', 'Temporal does not answer; changes and healing rest', 'Start it with: quorate engine start');
  if (!worker)
    return wrong('engine', `Temporal is up at ${address}, its worker is not`, 'Start it with: quorate engine start');
  return well('engine', `Temporal is up at ${address}, its worker runs`);
}

/** Instances on this machine's local cloud that no known environment owns, and records that cannot be read. */
async function leftovers(store: Store): Promise<Finding[]> {
  const { openLocalCloud } = await import('../cloud/local/open.js');
  const cloud = openLocalCloud(store.dirs.localCloud);
  const known = new Set<string>();
  for (const name of await store.listEnvironments()) known.add((await store.readEnvironment(name))?.uuid ?? '');
  const findings: Finding[] = [];
  for (const uuid of await cloud.environments()) {
    for (const problem of await cloud.problems(uuid)) {
      findings.push(
        wrong('local cloud', problem, 'Terminate the instance, or remove its directory when nothing of it runs.'),
      );
    }
    if (known.has(uuid)) continue;
    for (const { id, state, tags } of await cloud.list(uuid)) {
      if (state === 'terminated') continue;
      findings.push(
        wrong(
          'local cloud',
          `instance ${id} (machine ${tags.machine}, ${state}) belongs to no environment known here`,
          `If nobody needs it, remove ${store.dirs.localCloud}/${uuid} after ending its processes.`,
        ),
      );
    }
  }
  return findings;
}

async function environment(store: Store, name: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  const credentials = await store.credentials(name);
  if (!credentials) {
    return [
      wrong(
        name,
        'its bootstrap did not come to its end',
        `Follow it with: quorate watch -e ${name}      or take it back with: quorate destroy-environment ${name}`,
      ),
    ];
  }
  const days = (new Date(new X509Certificate(credentials.certificate).validTo).getTime() - Date.now()) / 86_400_000;
  findings.push(
    days < SOON_DAYS
      ? wrong(`${name}: your certificate`, `ends in ${Math.floor(days)} days`, 'Renew it before then.')
      : well(`${name}: your certificate`, `ends in ${Math.floor(days)} days`),
  );
  const { openClient } = await import('../client/open.js');
  const client = await openClient(store, name);
  try {
    const { body } = await client.request<Status>('GET', '/v1/status', { timeoutMs: 5000 });
    findings.push(
      well(
        name,
        `${body.environment.phase}, ${body.ha.healthyVoters} of ${body.ha.voters} voters healthy, primary ${body.ha.primary ?? 'none'}`,
      ),
    );
    for (const problem of body.ha.problems) findings.push(wrong(name, problem, ''));
    if (body.ha.voters % 2 === 0 && !body.change) {
      findings.push(
        wrong(
          name,
          `${body.ha.voters} voters, an even number, and no change runs`,
          `Finish it with: quorate enable-ha -e ${name}      or: quorate disable-ha -e ${name}`,
        ),
      );
    }
    findings.push(...(await parameters(name, body)));
  } catch (error) {
    findings.push(wrong(name, reasonOf(error), error instanceof QuorateError ? error.todo : ''));
  } finally {
    client.close();
  }
  return findings;
}

/** What the lack of a mongod setting costs. */
async function parameters(name: string, status: Status): Promise<Finding[]> {
  const { missingParameters } = await import('../replicaset/parameters.js');
  return status.controllers.flatMap(({ machine, mongod }) =>
    mongod
      ? missingParameters(mongod.parameters).map(({ parameter, cost }) =>
          wrong(`${name}: mongod of machine ${machine}`, `${mongod.version} does not take ${parameter}`, cost),
        )
      : [],
  );
}
