import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InstanceMetadata, UserData } from '../boot/user-data.js';
import type * as wire from '../boot/wire.js';
import { QuorateError } from '../errors.js';
import { packageVersion } from '../package.js';
import { fingerprint } from '../pki/certificate.js';
import { timingsFrom } from '../state/settings.js';
import type { State } from '../state/state.js';
import { readIfThere, writePrivate } from '../store/files.js';
import { type BootSteps, startBootListener } from './boot-listener.js';
import { readAuthority, readLogin } from './keys.js';
import type { Machine } from './machine.js';
import { say } from './say.js';
import type { Services } from './services.js';
import { shredToken } from './user-data.js';

const MONGOD_STARTS_WITHIN_MS = 20_000;
/** A machine that has just booted may have to wait for a route, a name or the right time. */
const TEMPORAL_WITHIN_MS = 12_000;
const DIAL_MS = 4_000;

const TEMPORAL_TODO =
  'Let the machine through to that address, or name one that machines reach in TEMPORAL_ADDRESS, and bootstrap again.';

/** Machine 0's side of bootstrap. After `serve` the machine is nothing special. */
export class Bootstrap implements BootSteps {
  #token: string;
  #initiated = false;
  #seeded = false;
  #temporal = false;
  #listener: { close(): Promise<void> } | null = null;

  constructor(
    private readonly machine: Machine,
    private readonly userData: UserData,
    private readonly services: Services,
    /** Called once the port is free for the API server. */
    private readonly onServe: () => void,
  ) {
    this.#token = userData.token;
  }

  async listen(): Promise<void> {
    const { files, environment, id, metadata } = this.machine;
    this.#temporal = (await readIfThere(files.temporal)) !== null;
    this.#listener = await startBootListener({
      address: metadata.address,
      port: metadata.ports.api,
      environment: environment.uuid,
      machine: id,
      tls: await readLogin(files, files.own),
      token: () => this.#token,
      steps: this,
    });
  }

  async close(): Promise<void> {
    await this.#listener?.close();
    this.#listener = null;
  }

  async enrol(request: string, user: string): Promise<string> {
    const { issue, publicKeyHash } = await import('../pki/authority.js');
    const subject = { cn: user, ou: 'operator', o: this.machine.environment.uuid } as const;
    const certificate = await issue(await readAuthority(this.machine.files), { request, subject });
    say(`Enrolled the operator ${user}, public key ${publicKeyHash(request)}.`);
    return certificate;
  }

  async enrolled(): Promise<void> {
    if (this.#token === '') return;
    this.#token = '';
    await shredToken(this.machine.files.userData, this.userData);
  }

  async temporal(connection: wire.TemporalConnection): Promise<void> {
    await this.#reach(connection);
    await writePrivate(this.machine.files.temporal, JSON.stringify(connection));
    this.#temporal = true;
  }

  async initiate({ settings }: wire.Initiate): Promise<void> {
    await this.#untilMongodRuns();
    const { files, id, mongo, conf, metadata } = this.machine;
    const { initiate } = await import('../replicaset/initiate.js');
    await initiate({
      environment: conf.environment.uuid,
      member: { machine: id, memberId: conf.memberId ?? 0, host: mongo, zone: metadata.zone },
      identity: await readLogin(files, files.member),
      timings: timingsFrom(settings),
    });
    this.#initiated = true;
  }

  async seed({ settings, publicAddress, ...said }: wire.Seed): Promise<void> {
    const { files, metadata, environment } = this.machine;
    const caFingerprint = fingerprint(await readFile(files.ca, 'utf8'));
    const { seed } = await import('../state/seed.js');
    await this.#withState((state) =>
      seed(state, {
        environment: { ...environment, ...said, caFingerprint },
        machine: {
          zone: metadata.zone,
          nonce: this.userData.nonce,
          instance: { ...instanceOf(metadata), ...(publicAddress ? { publicAddress } : {}) },
          agentVersion: packageVersion(),
        },
        settings,
      }),
    );
    this.#seeded = true;
  }

  async serve(): Promise<void> {
    if (!this.#temporal) throw new QuorateError('not-ready', 'Nobody has said yet where Temporal is.');
    // Asked of the documents where it is not remembered: the machine may have lost its power since.
    this.#seeded ||= await this.#withState(async (state) => (await state.environment.findOne({})) !== null);
    if (!this.#seeded) throw new QuorateError('not-ready', 'The state has not been seeded yet.');
    // Twice: the conf before, which a damaged one is healed from, must not bring bootstrap back.
    await this.machine.update({ bootstrapping: false });
    await this.machine.update({ bootstrapping: false });
    // The answer goes out first: closing waits for it.
    void this.close().then(this.onServe);
  }

  progress(): wire.Progress {
    return {
      mongod: this.services.mongod.running,
      temporal: this.#temporal,
      initiated: this.#initiated,
      seeded: this.#seeded,
      serving: !this.machine.conf.bootstrapping,
    };
  }

  async #withState<T>(use: (state: State) => Promise<T>): Promise<T> {
    const { files, mongo } = this.machine;
    const { openState } = await import('../state/state.js');
    const tls = await readLogin(files, files.state);
    const state = await openState({ hosts: [mongo], tls });
    try {
      return await use(state);
    } finally {
      await state.close();
    }
  }

  /** Only from here can be seen whether this machine's worker is going to reach it. */
  async #reach(connection: wire.TemporalConnection): Promise<void> {
    const { dialTemporal } = await import('../temporal/dial.js');
    const ends = performance.now() + TEMPORAL_WITHIN_MS;
    for (;;) {
      try {
        await dialTemporal(connection, DIAL_MS);
        return;
      } catch (error) {
        if (!(error instanceof QuorateError)) throw error;
        if (error.code === 'temporal-unreachable' && performance.now() < ends) {
          await sleep(500);
          continue;
        }
        const { id, metadata } = this.machine;
        const message = `Machine ${id} (${metadata.address}) cannot use Temporal: ${error.message}`;
        throw new QuorateError('temporal-not-reached', message, { todo: TEMPORAL_TODO, cause: error });
      }
    }
  }

  async #untilMongodRuns(): Promise<void> {
    const deadline = performance.now() + MONGOD_STARTS_WITHIN_MS;
    while (!this.services.mongod.running) {
      if (performance.now() > deadline) {
        const { message, state } = this.services.mongod.status();
        throw new QuorateError('no-mongod', `mongod is ${state}${message === '' ? '' : `: ${message}`}.`);
      }
      await sleep(20);
    }
  }
}

function instanceOf({ instance, address, ports }: InstanceMetadata) {
  return { id: instance, address, ports, state: 'running' };
}
