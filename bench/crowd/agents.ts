import { randomUUID } from 'node:crypto';
import { PATIENT } from '../../src/agent/agent.js';
import { Connection } from '../../src/agent/connection.js';
import { shuffled } from '../../src/agent/shuffled.js';
import { ApiClient } from '../../src/client/client.js';
import { type Authority, issueWithKey } from '../../src/pki/authority.js';
import type { AgentReport } from '../../src/state/documents.js';

/** Where the agents are to connect, and who certifies them. */
export interface Ground {
  readonly environment: { readonly uuid: string; readonly name: string };
  /** host:port of the API servers. */
  readonly addresses: readonly string[];
  readonly authority: Authority;
}

/** How many agents are begun at once; the goal is what they cost when they are there. */
const AT_ONCE = 10;

/** Agents of workload machines, with the client and the connection of the real ones, all in this process. */
export class Crowd {
  readonly #agents: Agent[] = [];

  constructor(private readonly ground: Ground) {}

  /** Certificates first, which are not what is measured. Resolves when all of them are connected. */
  async join(machines: readonly string[]): Promise<void> {
    for (let first = 0; first < machines.length; first += AT_ONCE) {
      const few = machines.slice(first, first + AT_ONCE);
      const agents = await Promise.all(few.map((machine) => Agent.of(this.ground, machine)));
      this.#agents.push(...agents);
      await Promise.all(agents.map((agent) => agent.begin()));
    }
  }

  /** How many have been told of their machine over the connection that they have now, and at which controllers. */
  get there(): Readonly<Record<string, number>> {
    const there: Record<string, number> = {};
    for (const { at } of this.#agents) if (at !== null) there[at] = (there[at] ?? 0) + 1;
    return there;
  }

  /** Why connections ended since this was asked last, and how many for each reason. */
  ended(): Readonly<Record<string, number>> {
    const all: Record<string, number> = {};
    for (const reason of this.#agents.flatMap((agent) => agent.ended.splice(0))) all[reason] = (all[reason] ?? 0) + 1;
    return all;
  }

  async leave(): Promise<void> {
    await Promise.all(this.#agents.splice(0).map((agent) => agent.end()));
  }
}

class Agent {
  /** Machine ID of the controller that it is connected to, once that one has told it of its machine. */
  at: string | null = null;
  /** The same from the moment that the connection is open. */
  #controller = '';
  #addressVersion = 0;
  /** Why its connections ended. */
  readonly ended: string[] = [];
  readonly #connection: Connection;
  readonly #began: Promise<void>;

  private constructor(
    private readonly client: ApiClient,
    machine: string,
  ) {
    let begun = () => {};
    this.#began = new Promise((resolve) => {
      begun = resolve;
    });
    this.#connection = new Connection({
      client: {
        openAgentSocket: async (options) => {
          const socket = await client.openAgentSocket(options);
          socket.onClose((reason) => {
            this.at = null;
            this.ended.push(reason);
          });
          this.#controller = socket.machine;
          return socket;
        },
      },
      session: randomUUID(),
      report: () => this.#report(),
      // Its certificate comes from the bench, and lives as long as that.
      onAuthority: () => {},
      onTold: ({ addresses }) => {
        this.at = this.#controller;
        const news = addresses.version > this.#addressVersion;
        this.#addressVersion = addresses.version;
        if (news) {
          client.useAddresses(addresses);
          this.#connection.beat();
        }
        begun();
      },
      onGone: () => {
        throw new Error(`the environment does not know machine ${machine}`);
      },
      operations: { connected: () => undefined, hear: () => undefined, lost: () => undefined },
      statusLog: { connected: () => undefined, hear: () => undefined, lost: () => undefined },
    });
  }

  static async of({ environment, addresses, authority }: Ground, machine: string): Promise<Agent> {
    const subject = { cn: `machine-${machine}`, ou: 'agent', o: environment.uuid } as const;
    const own = await issueWithKey(authority, { subject, addresses: [], names: [] });
    const client = new ApiClient({
      environment,
      addresses: shuffled(addresses),
      tls: { ca: authority.certificate, ...own },
      heartbeatMs: 400,
      ...PATIENT,
    });
    return new Agent(client, machine);
  }

  async begin(): Promise<void> {
    void this.#connection.run();
    await this.#began;
  }

  async end(): Promise<void> {
    this.#connection.close();
    await this.client.close();
  }

  /** As of a real one that has nothing to do: what it has of its disk is another number each time. */
  #report(): AgentReport {
    return {
      status: 'started',
      services: {},
      addressVersion: this.#addressVersion,
      sees: [],
      mongod: null,
      succession: { stoodUp: 0, freed: 0, off: '' },
      disk: { freeBytes: 1e10 + Math.floor(1e6 * Math.random()), totalBytes: 2e10 },
      certificateEnds: '2027-01-01T00:00:00.000Z',
    };
  }
}
