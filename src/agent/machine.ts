import type { InstanceMetadata } from '../boot/user-data.js';
import { type AgentConf, writeConf } from './conf.js';
import type { AgentFiles } from './files.js';
import type { Identity } from './keys.js';

/** This machine as its agent knows it: where its files lie, what the cloud gave it, what it was told last. */
export class Machine {
  #conf: AgentConf;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    readonly files: AgentFiles,
    readonly metadata: InstanceMetadata,
    conf: AgentConf,
  ) {
    this.#conf = conf;
  }

  get conf(): AgentConf {
    return this.#conf;
  }

  get id(): string {
    return this.#conf.machine;
  }

  get environment(): AgentConf['environment'] {
    return this.#conf.environment;
  }

  /** Whom its certificates name. */
  get identity(): Identity {
    return { environment: this.environment.uuid, machine: this.id, address: this.metadata.address };
  }

  /** host:port of its mongod. */
  get mongo(): string {
    return `${this.metadata.address}:${this.metadata.ports.mongo}`;
  }

  /** host:port of its API server. */
  get api(): string {
    return `${this.metadata.address}:${this.metadata.ports.api}`;
  }

  /** Members to look for the set at: the published ones, and its own. */
  get members(): string[] {
    const published = this.#conf.addresses.servers.map((server) => server.mongo).filter((mongo) => mongo !== '');
    return published.includes(this.mongo) || this.#conf.memberId === null ? published : [...published, this.mongo];
  }

  /** Changes agent.conf; what it says counts, and it resolves, when that is on disk. What fails leaves the conf as it was. */
  async update(changes: Partial<AgentConf>): Promise<void> {
    const written = this.#writing.then(async () => {
      const next = { ...this.#conf, ...changes };
      await writeConf(this.files.conf, next);
      this.#conf = next;
    });
    this.#writing = written.catch(() => {});
    await written;
  }
}
