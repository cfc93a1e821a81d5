import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError } from '../../errors.js';
import type { Identity } from '../../pki/identity.js';
import { applyParameters, mongodArguments, refusedParameter } from '../../replicaset/parameters.js';
import { dirsOf } from '../../store/dirs.js';
import { readIfThere } from '../../store/files.js';
import { type FoundServer, findServer } from '../../toolchain/find.js';
import { issueControllerCertificates, readLogin } from '../keys.js';
import type { Machine } from '../machine.js';
import type { Launch, Service } from '../supervisor.js';

const CACHE_MB = 256;

/** What is shown of a mongod that runs. */
export interface MongodFacts {
  readonly version: string;
  /** Each parameter that Quorate wants, and `set` or why not. */
  readonly parameters: Record<string, string>;
  /** The member ID whose data it was started with. */
  readonly member: number;
}

/** `manage-state`: this machine's member of the replica set. */
export class Mongod implements Service {
  readonly name = 'mongod';
  /** It leaves within a second (`shutdownTimeoutMillisForSignaledShutdown`) once that parameter is set. */
  readonly stopWithinMs = 2500;
  facts: MongodFacts | null = null;
  #server: FoundServer | null = null;
  #member: number | null = null;
  /** What it read last: it lets in whom that trusts. */
  #loaded: Identity | null = null;
  readonly #without = new Set<string>();

  constructor(private readonly machine: Machine) {}

  async prepare(): Promise<Launch> {
    const { files, metadata, conf, identity } = this.machine;
    const { memberId } = conf;
    if (memberId === null) throw new QuorateError('no-member', 'the machine has manage-state and no member ID yet');
    const [server] = await Promise.all([
      this.#server ?? findServer('mongod', { cacheDir: dirsOf(process.env).toolchain }),
      issueControllerCertificates(files, identity),
      mkdir(files.dataDirectory(memberId), { recursive: true, mode: 0o700 }),
    ]);
    this.#server = server;
    this.#loaded = await this.#login();
    await this.#learnRefusals();
    this.facts = null;
    this.#member = memberId;
    const args = mongodArguments({
      dataDirectory: files.dataDirectory(memberId),
      logFile: files.mongodLog,
      address: metadata.address,
      port: metadata.ports.mongo,
      certificateKeyFile: files.member,
      caFile: files.ca,
      cacheMb: CACHE_MB,
      without: [...this.#without],
    });
    return { file: server.path, args };
  }

  async ready(signal: AbortSignal): Promise<void> {
    // The driver is loaded while mongod starts, and on machines without one not at all.
    const { adminCommand, directClient } = await import('../../replicaset/connect.js');
    // Before the set exists there are no users: the member's own certificate is let in always.
    const client = directClient(this.machine.mongo, await this.#login(), { maxPoolSize: 1 });
    try {
      for (;;) {
        signal.throwIfAborted();
        try {
          const { version } = await adminCommand(client, { buildInfo: 1 });
          const reports = await applyParameters(client, [...this.#without]);
          const parameters = reports.map((report) => [report.name, report.taken ? 'set' : report.problem] as const);
          this.facts = {
            version: String(version),
            parameters: Object.fromEntries(parameters),
            member: this.#member as number,
          };
          return;
        } catch {
          await sleep(20, undefined, { signal });
        }
      }
    } finally {
      await client.close();
    }
  }

  async reload(): Promise<void> {
    const { rotateCertificates } = await import('../../replicaset/rotate.js');
    const next = await this.#login();
    const { ca, ...shown } = this.#loaded ?? next;
    await rotateCertificates(this.machine.mongo, { ca: ca + next.ca, ...shown });
    this.#loaded = next;
  }

  #login(): Promise<Identity> {
    const { files } = this.machine;
    return readLogin(files, files.member);
  }

  /** A start parameter that this mongod does not know is left out from then on. */
  async #learnRefusals(): Promise<void> {
    const said = (await readIfThere(path.join(this.machine.files.logs, 'mongod.log'))) ?? '';
    const refused = refusedParameter(said.slice(-8192));
    if (refused !== null) this.#without.add(refused);
  }
}
