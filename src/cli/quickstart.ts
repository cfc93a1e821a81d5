import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import type { Status } from '../api/status.js';
import type { ApiClient } from '../client/client.js';
import { SteadyWriter } from '../client/steady-writer.js';
import { QuorateError } from '../errors.js';
import { colours } from './colour.js';
import { duration, type OutputOptions, type Symbols, symbols } from './output.js';
import { stepLine } from './progress.js';

interface Options extends OutputOptions {
  readonly cleanup?: boolean;
  readonly environment: string;
}

export function configure(command: Command): void {
  command
    .option('-e, --environment <name>', 'name of the environment to make', 'demo')
    .option('--cleanup', 'remove all that a quickstart left')
    .option('--ascii', 'plain ASCII instead of symbols')
    .addHelpText(
      'after',
      '\nMakes an environment on this machine out of real processes, grows it to three controllers while a client writes,\nkills the primary, powers a controller off, goes back to one, and counts what was lost. It leaves the environment running.\n\nExamples:\n  quorate quickstart\n  quorate quickstart --cleanup',
    )
    .action((options: Options) => (options.cleanup ? cleanup(options) : demonstrate(options)));
}

/** Where the times stand, so that what the client waited still fits beside them. */
const COLUMNS = 76;

/** One line for each part: what was done, how long it took, the longest time that the client waited meanwhile. */
class Parts {
  readonly #sign: Symbols;
  readonly #writer: () => SteadyWriter | null;
  /** What is being done, for the message when it fails or is interrupted. */
  now = 'looking at this machine';

  constructor(sign: Symbols, writer: () => SteadyWriter | null) {
    this.#sign = sign;
    this.#writer = writer;
  }

  /** @param title what stands on the line when it is done; may depend on the outcome */
  async part<T>(
    now: string,
    work: () => Promise<T>,
    title: string | ((outcome: T) => string),
    timed = true,
  ): Promise<T> {
    this.now = now;
    this.#writer()?.lap();
    const waiting = process.stderr.isTTY;
    if (waiting) process.stderr.write(`${this.#sign.running} ${now} …`);
    const began = performance.now();
    let outcome: T;
    try {
      outcome = await work();
    } finally {
      if (waiting) process.stderr.write('\r\x1b[2K');
    }
    const lap = this.#writer()?.lap();
    const note = lap ? `longest wait ${duration(lap.longestWait)}` : '';
    const text = typeof title === 'string' ? title : title(outcome);
    const seconds = timed ? (performance.now() - began) / 1000 : null;
    const mark = colours(process.stdout).good(this.#sign.done);
    process.stdout.write(
      `${timed ? stepLine(mark, text, seconds, note, COLUMNS) : `${mark} ${text}   ${note}`.trimEnd()}\n`,
    );
    return outcome;
  }
}

async function demonstrate(options: Options): Promise<void> {
  const { openStore } = await import('../store/store.js');
  const { bootstrapEnvironment } = await import('./bootstrap.js');
  const { changeControllers } = await import('./change-controllers.js');
  const { openClient } = await import('../client/open.js');
  const { openLocalCloud } = await import('../cloud/local/open.js');
  const store = await openStore();
  const name = options.environment;
  if (await store.readEnvironment(name)) {
    throw new QuorateError('environment-exists', `there is an environment '${name}' already.`, {
      todo: `Remove it with: quorate quickstart --cleanup${name === 'demo' ? '' : ` -e ${name}`}      or use another name: quorate quickstart -e other`,
    });
  }
  const began = performance.now();
  let writer: SteadyWriter | null = null;
  let client: ApiClient | null = null;
  const parts = new Parts(symbols(options), () => writer);
  const part: Parts['part'] = (...words) => parts.part(...words);
  process.once('SIGINT', () => {
    process.stderr.write(
      `\nStopped while ${parts.now}. What was started is still running; remove all of it with: npx quorate quickstart --cleanup\n`,
    );
    process.exit(130);
  });
  try {
    process.stdout.write('Quorate quickstart: an environment, made highly available, broken, and brought back.\n\n');
    const { findServer } = await import('../toolchain/find.js');
    await part(
      'looking for temporal and mongod',
      async () => {
        const lookup = { cacheDir: store.dirs.toolchain, onProgress: showDownload };
        return { temporal: await findServer('temporal', lookup), mongod: await findServer('mongod', lookup) };
      },
      ({ temporal, mongod }) =>
        `temporal ${temporal.version} (${temporal.source}) and mongod ${mongod.version} (${mongod.source})`,
    );
    const { ensureEngine } = await import('../engine/engine.js');
    const engine = await part(
      'starting Temporal',
      () => ensureEngine(store.dirs),
      (running) => `Temporal is up   ${running.uiUrl ?? running.address}`,
    );
    await part(
      'starting the environment',
      () => bootstrapEnvironment(store, engine, { name, cloud: 'local', region: '', controllers: 1, settings: {} }),
      `Environment "${name}" with one controller`,
    );
    const api = await openClient(store, name);
    client = api;
    writer = new SteadyWriter(api, `quickstart-${randomBytes(3).toString('hex')}`);
    writer.start();
    process.stdout.write('  A client now writes through the API, as fast as it is answered.\n');
    const status = async () => (await api.request<Status>('GET', '/v1/status')).body;

    await part(
      'enabling HA',
      () => changeControllers(store, engine, name, { kind: 'enable-ha', n: '3' }),
      'enable-ha: three controllers vote',
    );

    const before = await status();
    const killed = primaryOf(before);
    await part(
      "killing the primary's mongod",
      async () => {
        const pid = before.controllers.find(({ machine }) => machine === killed)?.services?.mongod?.pid;
        if (!pid) throw new QuorateError('no-mongod', `machine ${killed} reports no mongod.`, {});
        process.kill(pid, 'SIGKILL');
        const after = await until(
          'another primary',
          status,
          (seen) => seen.ha.primary !== killed && seen.ha.primary !== null,
        );
        return after.ha.primary;
      },
      (successor) => `Killed the primary (mongod of machine ${killed}, SIGKILL); machine ${successor} took over`,
      false,
    );
    await part(
      'waiting until it is whole again',
      () => until('three healthy voters', status, ({ ha }) => ha.healthyVoters === 3),
      `machine ${killed} came back by itself: three of three vote`,
    );

    const cloud = openLocalCloud(store.dirs.localCloud);
    const powered = primaryOf(await status());
    await part(
      'powering a controller off',
      async () => {
        const controller = (await status()).controllers.find(({ machine }) => machine === powered);
        await cloud.stop(controller?.instance ?? '');
        return (
          await until('another primary', status, (seen) => seen.ha.primary !== powered && seen.ha.primary !== null)
        ).ha.primary;
      },
      (successor) => `Powered off machine ${powered} from the cloud's control panel; machine ${successor} took over`,
      false,
    );
    await part(
      'waiting until it is replaced',
      () =>
        until(
          'three healthy voters, another one in its place',
          status,
          ({ ha, change, controllers }) =>
            ha.healthyVoters === 3 && change === null && controllers.every(({ machine }) => machine !== powered),
        ),
      `machine ${powered} was replaced by itself: three of three vote`,
    );

    await part(
      'going back to one controller',
      () => changeControllers(store, engine, name, { kind: 'disable-ha' }),
      'disable-ha: back to one controller',
    );
    await writer.stop();
    const missing = await writer.missing();
    const seconds = (performance.now() - began) / 1000;
    process.stdout.write(
      `\nAcknowledged ${writer.acknowledged.toLocaleString('en')} writes, lost ${missing.length}.${writer.unknown > 0 ? ` Of ${writer.unknown} more nobody can know.` : ''} ${duration(seconds)} in all.\n`,
    );
    if (writer.errors.length > 0) {
      process.stdout.write(
        `${writer.errors.length} writes were answered with an error; the first: ${writer.errors[0]}\n`,
      );
    }
    if (missing.length > 0) {
      throw new QuorateError('writes-lost', `acknowledged writes are missing: ${missing.slice(0, 5).join(', ')}.`, {
        todo: 'Please report it; keep the environment and its logs: quorate changes, quorate cloud log MACHINE.',
      });
    }
    process.stdout.write(
      [
        '',
        'The environment is still running. Look around:',
        '  npx quorate status                  what is there',
        '  npx quorate enable-ha               three controllers again',
        `  npx quorate ui                      the same story in the Temporal UI${engine.uiUrl ? `: ${engine.uiUrl}` : ''}`,
        '  npx quorate quickstart --cleanup    remove all of it',
        '',
      ].join('\n'),
    );
  } catch (error) {
    process.stderr.write(
      `\nFailed while ${parts.now}. Look with: npx quorate status, npx quorate changes, npx quorate ui; remove all of it with: npx quorate quickstart --cleanup\n`,
    );
    throw error;
  } finally {
    if (writer) await writer.stop();
    client?.close();
  }
}

function primaryOf(status: Status): string {
  if (status.ha.primary === null)
    throw new QuorateError('no-primary', `${status.environment.name} has no primary.`, {});
  return status.ha.primary;
}

/** Asks again until what is awaited is seen; the message of its deadline says what that was. */
async function until(what: string, status: () => Promise<Status>, seen: (status: Status) => boolean): Promise<Status> {
  const deadline = performance.now() + 60_000;
  let last: Status | null = null;
  while (performance.now() < deadline) {
    last = await status();
    if (seen(last)) return last;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new QuorateError('part-timed-out', `waited 60 s for ${what}; it did not come.`, {
    todo: last?.ha.problems.join(' ') ?? '',
  });
}

function showDownload(message: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[2K  ${message}` : `  ${message}\n`);
}

async function cleanup(options: Options): Promise<void> {
  const { openStore } = await import('../store/store.js');
  const { destroyEnvironment } = await import('./destroy-environment.js');
  const store = await openStore();
  if (await store.readEnvironment(options.environment)) {
    await destroyEnvironment(store, options.environment, options);
    process.stdout.write(`Removed the environment "${options.environment}".\n`);
  } else process.stdout.write(`There is no environment "${options.environment}".\n`);
  const others = await store.listEnvironments();
  if (others.length > 0) {
    process.stdout.write(`Temporal keeps running for: ${others.join(', ')}.\n`);
    return;
  }
  const { removeEngine } = await import('../engine/engine.js');
  await removeEngine(store.dirs);
  process.stdout.write('Stopped Temporal and removed its database. Nothing of Quorate runs any more.\n');
}
