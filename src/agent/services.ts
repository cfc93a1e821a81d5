import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { ControllerKeys } from '../api/access.js';
import { reasonOf } from '../errors.js';
import type { AgentReport } from '../state/documents.js';
import { readIfThere } from '../store/files.js';
import type { AgentConf } from './conf.js';
import { holdsControllerKeys, issueControllerCertificates, shredControllerKeys, writeControllerKeys } from './keys.js';
import type { Machine } from './machine.js';
import { say } from './say.js';
import { ApiServer } from './services/api.js';
import { Mongod } from './services/mongod.js';
import { Worker } from './services/worker.js';
import { Standing } from './standing.js';
import type { Note } from './status-log/status-log.js';
import { Supervisor } from './supervisor.js';

export interface ServicesOptions {
  readonly machine: Machine;
  /** Asks a controller for what only controllers know; keeps asking until it has an answer or the signal aborts. */
  fetchKeys(signal: AbortSignal): Promise<ControllerKeys>;
  onChange(): void;
  readonly note: Note;
}

/** How long the next service waits for the one before. */
const PATIENCE_MS = 2000;

/** Why services are stopped. */
const JOB_DROPPED = 'the machine has its job no more';
const AGENT_STOPS = 'the agent stops';

/** What the machine runs for its jobs, started and stopped in order. */
export class Services {
  readonly #mongod: Mongod;
  readonly #standing: Standing;
  readonly mongod: Supervisor;
  readonly api: Supervisor;
  readonly worker: Supervisor;
  /** The member whose mongod was started last. */
  #member: number | null = null;
  #used = false;
  /** Certificates are new, and not everything that runs has taken them over. */
  #outdated = false;
  #following: Promise<void> = Promise.resolve();
  #superseded = new AbortController();

  constructor(private readonly options: ServicesOptions) {
    const { machine, onChange, note } = options;
    this.#mongod = new Mongod(machine);
    const onMongod = () => {
      if (this.mongod.running) this.#standing.begin();
      onChange();
    };
    this.mongod = new Supervisor(this.#mongod, machine.files, onMongod, note);
    this.#standing = new Standing(machine, () => this.mongod.kill('it hung on a source that was silent'));
    this.api = new Supervisor(new ApiServer(machine), machine.files, onChange, note);
    this.worker = new Supervisor(new Worker(machine), machine.files, onChange, note);
  }

  /**
   * Makes the services what agent.conf says now. Calls take turns; one that still waits for keys gives way to the next.
   * Resolves when what is to stop has stopped and what is to run has been started. Nothing is destroyed unless a
   * controller has just said so: a conf that is only remembered may be an old one.
   */
  follow(source: 'remembered' | 'told'): Promise<void> {
    this.#superseded.abort();
    const superseded = new AbortController();
    this.#superseded = superseded;
    this.#following = this.#following
      .then(() => this.#follow(this.options.machine.conf, source === 'told', superseded.signal))
      .catch((error) => say(`The machine's services could not follow its jobs: ${reasonOf(error)}`, 'warn'));
    return this.#following;
  }

  /**
   * A controller's certificates that are near their end are issued anew, and what runs takes them over. What fails is tried
   * again at the next call.
   */
  renewCertificates(): Promise<void> {
    const { note } = this.options;
    return this.#inTurn(async () => {
      if (await this.#renewCertificates()) note('certificate', 'renewed', 'Its certificates as a controller are new.');
    }).catch((error) => {
      const text = `The machine's certificates could not be renewed: ${reasonOf(error)}`;
      say(text, 'warn');
      note('certificate', 'not-renewed', text);
    });
  }

  /** Whom the environment trusts, or who certifies, is another: what runs goes by what lies in the files now, or it rejects. */
  takeOverCertificates(): Promise<void> {
    return this.#inTurn(async () => {
      this.#outdated = true;
      await this.#renewCertificates();
    });
  }

  /** Stops all of them in order: another member becomes primary first; mongod is last, as the others need it. */
  async stop(): Promise<void> {
    this.#superseded.abort();
    await this.#following;
    await this.#standing.handOver();
    await halt(this.worker, AGENT_STOPS);
    await halt(this.api, AGENT_STOPS);
    await this.#haltMongod('terminate', AGENT_STOPS);
  }

  report(): Pick<AgentReport, 'services' | 'mongod' | 'succession'> {
    const succession = this.#standing.status();
    if (!this.#used) return { services: {}, mongod: null, succession };
    const services = { mongod: this.mongod.status(), api: this.api.status(), worker: this.worker.status() };
    return { services, mongod: this.#mongod.facts, succession };
  }

  /** After what is under way, whose failures are its own. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#following.then(work);
    this.#following = done.catch(() => {});
    return done;
  }

  async #follow(conf: AgentConf, told: boolean, superseded: AbortSignal): Promise<void> {
    const { machine } = this.options;
    this.#standing.follow();
    const alive = conf.life !== 'dead';
    const environ = alive && conf.jobs.includes('manage-environ');
    const state = alive && conf.jobs.includes('manage-state');

    if (!environ) {
      await halt(this.worker, JOB_DROPPED);
      await halt(this.api, JOB_DROPPED);
    }
    // A member's data goes with the member: then there is nothing to bring to an orderly end.
    if (!state || conf.memberId !== this.#member) {
      const why = state ? 'the machine is another member now' : JOB_DROPPED;
      await this.#haltMongod(told ? 'kill' : 'terminate', why);
    }
    if (told) await this.#removeDataExcept(state ? conf.memberId : null);
    if (!state && !environ) {
      if (told) await shredControllerKeys(machine.files);
      return;
    }

    if (!(await holdsControllerKeys(machine.files))) {
      const keys = await this.options.fetchKeys(superseded).catch((error) => {
        if (superseded.aborted) return null;
        throw error;
      });
      if (keys === null) return;
      await writeControllerKeys(machine.files, keys);
    }
    this.#used = true;
    if (state) {
      this.#member = conf.memberId;
      this.mongod.want(true);
    }
    if (environ && !conf.bootstrapping) {
      // One after the other, each when the one before runs or has failed: mongod is what everybody waits for, and three
      // at once would share its processors.
      if (state) await this.mongod.tried(PATIENCE_MS, superseded);
      if (superseded.aborted) return;
      this.api.want(true);
      await this.api.tried(PATIENCE_MS, superseded);
      if (superseded.aborted) return;
      if ((await readIfThere(machine.files.temporal)) !== null) this.worker.want(true);
    }
  }

  /** Whether what runs has taken new ones over. */
  async #renewCertificates(): Promise<boolean> {
    const { files, identity } = this.options.machine;
    if (!(await holdsControllerKeys(files))) return false;
    const issued = await issueControllerCertificates(files, identity, { renew: true });
    if (!issued && !this.#outdated) return false;
    this.#outdated = true;
    await this.mongod.reload();
    await this.#standing.renew();
    for (const service of [this.api, this.worker]) {
      await service.reload().catch(async (error) => {
        say(`${service.name} did not take its certificates over: ${reasonOf(error)}; it is started again.`, 'warn');
        await halt(service, 'it did not take its new certificates over');
        service.want(true);
        await service.tried(PATIENCE_MS, this.#superseded.signal);
      });
    }
    this.#outdated = false;
    if (issued) say('The certificates of this machine have been renewed.');
    return true;
  }

  async #haltMongod(how: 'terminate' | 'kill', why: string): Promise<void> {
    this.mongod.want(false, why);
    if (how === 'kill') await this.mongod.kill(why);
    await this.#standing.end();
    await this.mongod.stopped();
  }

  /** Data of members that this machine no longer is; MongoDB refuses a member that brings another's data. */
  async #removeDataExcept(memberId: number | null): Promise<void> {
    const { files } = this.options.machine;
    const keep = memberId === null ? null : path.basename(files.dataDirectory(memberId));
    for (const name of await readdir(files.disk)) {
      if (/^mongod-\d+$/.test(name) && name !== keep) {
        await rm(path.join(files.disk, name), { recursive: true, force: true });
      }
    }
  }
}

async function halt(service: Supervisor, why: string): Promise<void> {
  service.want(false, why);
  await service.stopped();
}
