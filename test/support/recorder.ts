/** Asks real members for things, and writes down what they answered and how they looked, as a trace that the model follows. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type MongoClient, MongoServerError } from 'mongodb';
import { compareOpTimes } from '../../src/membership/facts.js';
import type { OpTime } from '../../src/membership/types.js';
import { adminCommand, within } from '../../src/replicaset/connect.js';
import { opTime, type SetConfig, type SetStatus, termOfConfig } from '../../src/replicaset/wire.js';
import type { Said, Trace, TraceEvent } from '../model/trace.js';
import { type TestMember, TestMembers } from './members.js';

/** A force makes the version jump by more than this; the model by 8. */
const JUMP = 5000;
const MODEL_JUMP = 8;

export class Recorder implements AsyncDisposable {
  readonly events: TraceEvent[] = [];
  readonly #clients = new Map<number, MongoClient>();
  readonly #frozen = new Set<number>();
  /** What is taken off a version to have it as the model counts. */
  readonly #jumps: { readonly from: number; readonly less: number }[] = [];

  private constructor(readonly set: TestMembers) {}

  static async start(count: number): Promise<Recorder> {
    const set = await TestMembers.start(count);
    try {
      await set.initiate();
    } catch (error) {
      await set[Symbol.asyncDispose]();
      throw error;
    }
    return new Recorder(set);
  }

  async trace(says: string): Promise<Trace> {
    const { version } = (await this.#command(this.#anyUp(), { buildInfo: 1 })) as unknown as { version: string };
    return { says, mongod: version, members: this.set.members.length, events: this.events };
  }

  /** The config as member `to` has it, with other voters and members, and a version so much higher; what it answers. */
  async reconfig(
    to: number,
    next: { voters: readonly number[]; members: readonly number[]; higher?: number; maxTimeMS?: number },
  ): Promise<number> {
    const { config } = (await this.#command(to, { replSetGetConfig: 1 })) as unknown as { config: SetConfig };
    const { term: _, ...before } = config;
    const version = config.version + (next.higher ?? 1);
    const members = next.members.map((i) => ({
      ...(config.members.find((member) => member._id === i) ?? { _id: i, host: this.#member(i).host }),
      votes: next.voters.includes(i) ? 1 : 0,
      priority: next.voters.includes(i) ? 1 : 0,
    }));
    const maxTimeMS = next.maxTimeMS ?? 10_000;
    const code = await this.#code(to, { replSetReconfig: { ...before, version, members }, maxTimeMS });
    const { voters, members: all } = next;
    this.events.push({ do: 'reconfig', to, version: this.#counted(version), voters, members: all, code });
    return code;
  }

  async force(to: number): Promise<void> {
    const { config } = (await this.#command(to, { replSetGetConfig: 1 })) as unknown as { config: SetConfig };
    const { term: _, ...before } = config;
    const own = config.members
      .filter((member) => member._id === to)
      .map((member) => ({ ...member, votes: 1, priority: 1 }));
    await this.#command(to, { replSetReconfig: { ...before, version: config.version + 1, members: own }, force: true });
    const { config: forced } = (await this.#command(to, { replSetGetConfig: 1 })) as unknown as { config: SetConfig };
    const wanted = this.#counted(config.version) + MODEL_JUMP;
    if (forced.version - config.version > JUMP)
      this.#jumps.push({ from: forced.version, less: forced.version - wanted });
    this.events.push({ do: 'force', to });
  }

  /** With majority; false when nobody said within the time that it is written. */
  async write(to: number, wtimeout = 2000): Promise<boolean> {
    const collection = this.#client(to).db('trace').collection('writes');
    try {
      await collection.insertOne({}, { writeConcern: { w: 'majority', j: true, wtimeout } });
      this.events.push({ do: 'write', to, told: true, code: 0 });
      return true;
    } catch (error) {
      const code = error instanceof MongoServerError ? Number(error.code) : -1;
      // 64: written here, and nobody knows about the others.
      this.events.push({ do: 'write', to, told: false, code: code === 64 ? 0 : code });
      return false;
    }
  }

  async writeAlone(to: number): Promise<void> {
    await this.#client(to)
      .db('trace')
      .collection('writes')
      .insertOne({}, { writeConcern: { w: 1, j: true } });
    this.events.push({ do: 'write-alone', to });
  }

  async standUp(to: number): Promise<number> {
    const code = await this.#code(to, { replSetStepUp: 1 });
    this.events.push({ do: 'stand-up', to, code });
    return code;
  }

  async kill(to: number): Promise<void> {
    await this.#member(to).kill();
    this.events.push({ do: 'kill', to });
  }

  async start(to: number): Promise<void> {
    this.events.push({ do: 'start', to });
    await this.#member(to).start();
  }

  /** Member `to` goes on answering, and takes nothing in; what is returned lets it go again. Nothing of that is written down. */
  async hold(to: number): Promise<() => Promise<void>> {
    await this.#command(to, { fsync: 1, lock: true });
    return async () => {
      await this.#command(to, { fsyncUnlock: 1 });
    };
  }

  freeze(to: number): void {
    this.#member(to).signal('SIGSTOP');
    this.#frozen.add(to);
    this.events.push({ do: 'freeze', to });
  }

  thaw(to: number): void {
    this.events.push({ do: 'thaw', to });
    this.#frozen.delete(to);
    this.#member(to).signal('SIGCONT');
  }

  /** Waits until the members look as wanted and keep looking the same for a moment, and writes that down. */
  async see(until: (said: readonly Said[]) => boolean, what: string): Promise<readonly Said[]> {
    const deadline = performance.now() + 60_000;
    let last = '';
    for (;;) {
      const said = await this.#look();
      const seen = JSON.stringify(said);
      if (until(said) && seen === last) {
        this.events.push({ see: said });
        return said;
      }
      last = until(said) ? seen : '';
      if (performance.now() > deadline) throw new Error(`not seen: ${what}; but: ${JSON.stringify(said)}`);
      await sleep(200);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const i of this.#frozen) this.#member(i).signal('SIGCONT');
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
    await this.set[Symbol.asyncDispose]();
  }

  async #look(): Promise<Said[]> {
    const all = await Promise.all(this.set.members.map((_, i) => this.#said(i)));
    const optimes = all.flatMap(({ optime }) => optime ?? []).sort(compareOpTimes);
    const distinct = optimes.filter((one, n) => n === 0 || compareOpTimes(one, optimes[n - 1] as OpTime) !== 0);
    return all.map(({ said, optime }) => {
      if (said === null || optime === null) return said;
      return { ...said, place: distinct.findIndex((one) => compareOpTimes(one, optime) === 0) };
    });
  }

  async #said(i: number): Promise<{ said: Said; optime: OpTime | null }> {
    if (this.#frozen.has(i)) return { said: null, optime: null };
    try {
      const shown = await within(1000, String(i), this.#command(i, { replSetGetConfig: 1 }).catch(refusedOnly));
      if (shown === null) return { said: { state: 'fresh' }, optime: null };
      const { config } = shown as unknown as { config: SetConfig };
      const own = {
        version: this.#counted(config.version),
        term: termOfConfig(config),
        voters: config.members.filter(({ votes }) => votes > 0).map(({ _id }) => _id),
        members: config.members.map(({ _id }) => _id),
      };
      const status = await this.#command(i, { replSetGetStatus: 1 }).catch(refusedOnly);
      if (status === null) return { said: { state: 'REMOVED', config: own }, optime: null };
      const { members, term, optimes } = status as unknown as SetStatus;
      const state = members.find(({ self }) => self)?.stateStr;
      if (state !== 'PRIMARY' && state !== 'SECONDARY' && state !== 'STARTUP2') return { said: null, optime: null };
      const optime = state === 'STARTUP2' ? null : opTime(optimes.appliedOpTime);
      return { said: { state, term: Number(term), config: own }, optime };
    } catch {
      // A member that does not answer says nothing: that is what is written down.
      return { said: null, optime: null };
    }
  }

  #counted(version: number): number {
    const jump = this.#jumps.findLast(({ from }) => version >= from - 1);
    return version - (jump?.less ?? 0);
  }

  async #code(to: number, command: object): Promise<number> {
    try {
      await this.#command(to, command);
      return 0;
    } catch (error) {
      if (!(error instanceof MongoServerError)) throw error;
      // It is installed, and was not seen on a majority in time.
      return /finished but failed to propagate/.test(error.message) ? 0 : Number(error.code);
    }
  }

  #command(i: number, command: object): Promise<Record<string, unknown>> {
    return adminCommand(this.#client(i), command) as Promise<Record<string, unknown>>;
  }

  #client(i: number): MongoClient {
    const known = this.#clients.get(i);
    if (known !== undefined) return known;
    const client = this.#member(i).client();
    this.#clients.set(i, client);
    return client;
  }

  #member(i: number): TestMember {
    return this.set.members[i] as TestMember;
  }

  #anyUp(): number {
    return this.set.members.findIndex(
      (member, i) => !this.#frozen.has(i) && member.process?.exitCode === null && member.process.signalCode === null,
    );
  }
}

function refusedOnly(error: unknown): null {
  if (error instanceof MongoServerError) return null;
  throw error;
}
