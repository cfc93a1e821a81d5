import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControllerKeys } from '../api/access.js';
import type { UserData } from '../boot/user-data.js';
import { ApiClient } from '../client/client.js';
import { reasonOf } from '../errors.js';
import type { Job } from '../membership/types.js';
import type { AgentReport } from '../state/documents.js';
import { AuthorityKeeper } from './authority.js';
import { Bootstrap } from './bootstrap.js';
import { Connection } from './connection.js';
import { Health } from './health.js';
import { readLogin } from './keys.js';
import type { Machine } from './machine.js';
import { Operations } from './operations/operations.js';
import { Renewal } from './renewal.js';
import { say } from './say.js';
import { Sees } from './sees.js';
import { Services } from './services.js';
import { shuffled } from './shuffled.js';
import type { StatusLog } from './status-log/status-log.js';
import type { ToldMachine } from './told.js';

/**
 * Nobody waits for what an agent asks, as a person does: it need not find out as soon that its controller is silent, and on
 * a machine with too much to do it would leave those that are only late. 4 times this and a beat stay below what makes it
 * count as down.
 */
const HEARTBEAT_MS = 400;

const FOLLOW_AGAIN_MS = 2000;
/**
 * Many agents of workload machines come at once when a controller is lost. They are patient, as what they give up and begin
 * again is done twice by those who have too much to do already, and try another one late.
 */
export const PATIENT = { staggerMs: 2000, dialMs: 10_000 } as const;

/** It hosts a workload and is no controller, whose end is a change's to see to. */
const isWorkload = (jobs: readonly Job[]): boolean => jobs.length > 0 && jobs.every((job) => job === 'host-units');

/** The machine agent: keeps the services of the machine's jobs, and its connection to the environment. */
export class MachineAgent {
  readonly #services: Services;
  readonly #client: ApiClient;
  readonly #connection: Connection;
  readonly #renewal: Renewal;
  readonly #authority: AuthorityKeeper;
  readonly #health: Health;
  readonly #operations: Operations;
  #sees: Sees | null = null;
  #bootstrap: Bootstrap | null = null;
  #stopping = false;
  /** The machine is dying, and nothing of its workload runs any more. */
  #finished = false;
  #onGone: () => void = () => {};
  /** What was said last. */
  #told: ToldMachine | null = null;

  private constructor(
    private readonly machine: Machine,
    private readonly userData: UserData,
    private readonly statusLog: StatusLog,
    tls: { ca: string; certificate: string; key: string },
  ) {
    const { environment, conf, metadata } = machine;
    const servers = conf.addresses.servers.map((server) => server.api);
    this.#client = new ApiClient({
      environment,
      addresses: isWorkload(conf.jobs) ? shuffled(servers) : servers,
      addressesVersion: conf.addresses.version,
      url: conf.url,
      // With two voters the one that is lost may be the only one that was published.
      lastResort: () => (machine.conf.jobs.includes('manage-environ') ? [machine.api] : []),
      tls,
      localAddress: metadata.address,
      heartbeatMs: HEARTBEAT_MS,
      ...(isWorkload(conf.jobs) ? PATIENT : {}),
    });
    const session = randomUUID();
    this.#operations = new Operations(machine, session);
    this.#connection = new Connection({
      session,
      operations: this.#operations,
      statusLog,
      client: this.#client,
      report: () => this.#report(),
      onTold: (told) => void this.#hear(told),
      onAuthority: (told) => this.#authority.hear(told),
      onGone: () => void this.#gone(),
    });
    this.#services = new Services({
      machine,
      fetchKeys: (signal) => this.#fetchKeys(signal),
      onChange: () => this.#connection.beat(),
      note: statusLog.note,
    });
    this.#renewal = new Renewal(machine, this.#services, this.#client, statusLog.note);
    this.#authority = new AuthorityKeeper({
      machine,
      services: this.#services,
      client: this.#client,
      onEffect: ({ phase, trusted }) => {
        this.#sees?.trust(trusted);
        this.#connection.beat();
        // Each at its own time, so that not all have to at once when the CA before is dropped.
        if (phase !== 'issuing') return;
        statusLog.note('certificate', 'renewed', 'The environment has another CA, which has certified it.');
        this.#connection.renew();
      },
    });
    this.#health = new Health(machine.files, () => this.#connection.beat(), statusLog.note);
  }

  static async of(machine: Machine, userData: UserData, statusLog: StatusLog): Promise<MachineAgent> {
    const { files } = machine;
    return new MachineAgent(machine, userData, statusLog, await readLogin(files, files.own));
  }

  /** Services first: after a power cut nobody else is up. Resolves when the environment no longer knows this machine. */
  async run(): Promise<void> {
    const { bootstrapping } = this.machine.conf;
    const gone = new Promise<void>((resolve) => {
      this.#onGone = resolve;
    });
    // A machine that was off for long starts nothing with certificates that have ended.
    void this.#services.renewCertificates();
    void this.#services.follow('remembered');
    if (bootstrapping) {
      const onServe = () => {
        this.#bootstrap = null;
        if (this.#stopping) return;
        void this.#services.follow('remembered');
        void this.#connect();
      };
      this.#bootstrap = new Bootstrap(this.machine, this.userData, this.#services, onServe);
      await this.#bootstrap.listen();
    } else {
      await this.#connect();
    }
    await gone;
  }

  /** An ordered shutdown: the services stop in order, and nobody is left behind. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.statusLog.note('agent', 'stopping', 'It was told to stop, or its machine is shut down.');
    this.#connection.beat();
    this.#renewal.end();
    this.#authority.end();
    await this.#bootstrap?.close();
    await Promise.all([this.#operations.stop(), this.#services.stop()]);
    this.#connection.close();
    this.#sees?.close();
    this.#health.close();
    await this.#client.close();
    await this.statusLog.close();
  }

  /** Looks at once for certificates that are near their end. */
  renewCertificates(): Promise<void> {
    return this.#renewal.check();
  }

  async #connect(): Promise<void> {
    await this.#operations.open();
    if (this.#stopping) return;
    const ca = await readFile(this.machine.files.ca, 'utf8');
    this.#sees = new Sees(this.machine, ca, () => this.#connection.beat());
    void this.#connection.run();
    this.#renewal.begin();
  }

  #report(): AgentReport {
    return {
      status: this.#stopping ? 'stopping' : 'started',
      ...this.#services.report(),
      addressVersion: this.machine.conf.addresses.version,
      ...(this.machine.conf.authorityVersion === undefined
        ? {}
        : { authorityVersion: this.machine.conf.authorityVersion }),
      sees: [...(this.#sees?.machines ?? [])],
      ...this.#health.report(),
      ...(this.#finished ? { finished: true } : {}),
    };
  }

  /** What cannot be followed (the disk may be full) is tried again until there is something newer. */
  async #hear(told: ToldMachine): Promise<void> {
    this.#told = told;
    while (this.#told === told && !this.#stopping) {
      try {
        await this.#follow(told);
        return;
      } catch (error) {
        say(`What a controller said could not be followed yet: ${reasonOf(error)}`, 'warn');
        await sleep(FOLLOW_AGAIN_MS);
      }
    }
  }

  /** Only an answer that is as new as what is known, or newer, changes what the machine does. */
  async #follow(told: ToldMachine): Promise<void> {
    const { conf } = this.machine;
    const { type, addresses, settings, ...document } = told;
    const newAddresses = addresses.version > conf.addresses.version;
    const current = document.version >= conf.version;
    const newSettings = settings.suspectAfterMs !== conf.settings?.suspectAfterMs;
    if (newAddresses || newSettings || document.version > conf.version) {
      const { version, servers, url } = addresses;
      await this.machine.update({
        ...(newAddresses ? { addresses: { version, servers }, url } : {}),
        ...(current ? document : {}),
        settings,
      });
    }
    if (newAddresses) {
      this.#client.useAddresses({ version: addresses.version, servers: addresses.servers });
      // Only now is the new set acknowledged: it would survive a power cut.
      this.#connection.beat();
      void this.#sees?.look();
    }
    if (!current || this.#stopping) return;
    if (document.life === 'dead') return this.#gone();
    await this.#services.follow('told');
    if (document.life === 'dying' && isWorkload(document.jobs)) this.#finish();
  }

  /** Says that what ran for the workload has ended: the controllers have the instance ended then. */
  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    say(`Machine ${this.machine.id} is to be removed, and has finished.`);
    this.#connection.beat();
  }

  async #gone(): Promise<void> {
    if (this.machine.conf.life !== 'dead') {
      // It ends all the same: whoever starts it again hears it again.
      await this.machine
        .update({ life: 'dead', jobs: [] })
        .catch((error) => say(`That this machine is gone could not be written down: ${reasonOf(error)}`, 'warn'));
    }
    await this.#services.follow('told');
    this.#connection.beat();
    this.#onGone();
  }

  async #fetchKeys(signal: AbortSignal): Promise<ControllerKeys> {
    for (;;) {
      signal.throwIfAborted();
      try {
        return (await this.#client.request<ControllerKeys>('GET', '/v1/controller-keys', { signal })).body;
      } catch (error) {
        signal.throwIfAborted();
        say(`The controllers' keys could not be fetched yet: ${reasonOf(error)}`, 'warn');
        await sleep(300, undefined, { signal });
      }
    }
  }
}
