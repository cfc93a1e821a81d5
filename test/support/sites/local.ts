import { readdirSync, readFileSync } from 'node:fs';
import type { MongoClientOptions } from 'mongodb';
import type { LocalCloud } from '../../../src/cloud/local/local-cloud.js';
import { openLocalCloud } from '../../../src/cloud/local/open.js';
import { engineStatus, ensureEngine } from '../../../src/engine/engine.js';
import { dirsOf } from '../../../src/store/dirs.js';
import { openStore } from '../../../src/store/store.js';
import { connectTemporal, type Temporal } from '../../../src/temporal/connect.js';
import { Home } from '../home.js';
import { memberClient } from '../member.js';
import { COMMANDS } from '../programs.js';
import { Traces } from '../traces.js';
import type { MemberOf, Service, Site } from './site.js';

/** The local cloud, with the embedded Temporal. */
export class LocalSite implements Site {
  constructor(
    readonly region: '' | 'namespace' = '',
    readonly home = new Home(),
  ) {}

  get cloudName(): string {
    return this.region === '' ? 'local' : `local/${this.region}`;
  }

  get console(): LocalCloud {
    return openLocalCloud(this.machines, this.region, this.home.env);
  }

  get machines(): string {
    return dirsOf(this.home.env).localCloud;
  }

  async powerOff(instance: string): Promise<void> {
    await this.console.powerOff(instance);
  }

  pidsOf(instance: string, service: Service): number[] {
    return readdirSync('/proc').flatMap((name) => {
      if (!/^\d+$/.test(name)) return [];
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        if (!COMMANDS[service].test(command)) return [];
        const environ = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0');
        return environ.includes(`QUORATE_INSTANCE=${instance}`) ? [Number(name)] : [];
      } catch {
        return []; // It ended while we looked.
      }
    });
  }

  async login(environment: string, member: MemberOf, options: MongoClientOptions = {}) {
    return await memberClient(await openStore(this.home.env), environment, member, options);
  }

  workers(): number[] {
    return this.home.processes().flatMap(({ pid, command }) => (COMMANDS.worker.test(command) ? [pid] : []));
  }

  async connect(): Promise<Temporal> {
    const { connection, uiUrl } = await ensureEngine(dirsOf(this.home.env));
    return await connectTemporal({ target: connection, uiUrl });
  }

  async temporalPid(): Promise<number | null> {
    return (await engineStatus(dirsOf(this.home.env))).pid;
  }

  async startEngine(): Promise<void> {
    await this.home.ok('engine', 'start');
  }

  problems(environment: string): Promise<readonly string[]> {
    return this.console.problems(environment);
  }

  async traces(name: string): Promise<Traces> {
    return await Traces.of(await openStore(this.home.env), name);
  }

  async close(keep = false): Promise<void> {
    await (keep ? this.home.leave() : this.home.close());
  }
}
