import { Value } from '@sinclair/typebox/value';
import type { WebSocket } from 'ws';
import { AgentMessage, CLOSE, type ToAgent } from '../api/sockets.js';
import { reasonOf } from '../errors.js';
import { log } from '../log/log.js';
import type { AddressesDocument, AgentSettings, MachineDocument, SettingDocument } from '../state/documents.js';
import { setAgentVersion } from '../state/machines.js';
import { durationMs, effectiveValue } from '../state/settings.js';
import type { State } from '../state/state.js';
import { finishWorkloadMachine } from '../state/workload-machines.js';
import { type Common, type Directory, SUSPECT_AFTER } from './directory.js';
import { isKeepable } from './keepable.js';
import type { OperationDesk, Seat } from './operation-desk.js';
import { beats, type Pace, paceOf } from './pace.js';
import type { PresenceBatch } from './presence-batch.js';
import type { RollCall } from './roll-call.js';
import { close, send } from './socket.js';
import type { StatusIntake } from './status-intake.js';

export interface AgentContext {
  readonly state: State;
  readonly directory: Directory;
  readonly presence: PresenceBatch;
  readonly rollCall: RollCall;
  readonly operations: OperationDesk;
  readonly statusIntake: StatusIntake;
}

/** How long an agent that was let in may take to say who it is. */
const HELLO_MS = 10_000;
/** Characters: of what is written every second, and told to every controller. */
const LARGEST_REPORT = 16 * 1024;
/** A beat that comes this long after the one before is news: the agent had been silent. */
const SILENT_MS = 1500;

/** Serves `/v1/agent`: takes presence, tells the agent of its machine and the address set whenever they change. */
export function serveAgent(socket: WebSocket, context: AgentContext, machine: string): void {
  const session = new AgentSession(socket, context, machine);
  const late = setTimeout(() => close(socket, CLOSE.badMessage, 'no hello'), HELLO_MS);
  socket.once('close', () => {
    clearTimeout(late);
    session.end();
  });
  socket.on('message', (data) => {
    clearTimeout(late);
    const message = parse(String(data));
    if (message === null) close(socket, CLOSE.badMessage, 'not a message of an agent');
    else session.hear(message);
  });
}

function parse(text: string): AgentMessage | null {
  try {
    const message: unknown = JSON.parse(text);
    if (!Value.Check(AgentMessage, message) || !isKeepable(message)) return null;
    return message.type === 'presence' && text.length > LARGEST_REPORT ? null : message;
  } catch {
    return null;
  }
}

/** What is kept of a machine's document for each of thousands. */
type Known = Pick<MachineDocument, 'life' | 'jobs' | 'version' | 'memberId'>;

const knownOf = ({ life, jobs, version, memberId }: MachineDocument): Known => ({ life, jobs, version, memberId });

type Presence = Extract<AgentMessage, { type: 'presence' }>;
type StatusReport = Extract<AgentMessage, { type: 'status-log' }>;

class AgentSession {
  /** The agent's run, once it has said hello. */
  #session: string | null = null;
  #machine: Known | null = null;
  #addresses: AddressesDocument | null = null;
  #url = '';
  #settings: AgentSettings | null = null;
  #authorityVersion = 0;
  /** A beat that waits for the machine to be known. Each is written once: what is said again counts as heard again. */
  #beat: Presence | null = null;
  /** What it said, apart from its disk, which is another one with every look and no news; and when that was. */
  #said = { words: '', bytes: 0, at: Number.NEGATIVE_INFINITY };
  #pace: Pace | null = null;
  #gone = false;
  #ended = false;
  #finishing = false;
  #leave = () => {};
  /** Where it hears of operations, once its machine is known. */
  #seat: Seat | null = null;

  constructor(
    private readonly socket: WebSocket,
    private readonly context: AgentContext,
    private readonly id: string,
  ) {}

  hear(message: AgentMessage): void {
    if (message.type === 'hello') {
      if (this.#session === null) {
        this.#session = message.session;
        void this.#begin(message.version);
      } else close(this.socket, CLOSE.badMessage, 'hello twice');
    } else if (this.#session === null) close(this.socket, CLOSE.badMessage, `${message.type} before hello`);
    else if (message.type === 'operation') this.#seat?.hear(message);
    else if (message.type === 'status-log') this.#take(message);
    else {
      this.#beat = message;
      this.#present();
    }
  }

  /** Presence of a machine that is not known yet waits for its document: it would outlive it. */
  #present(): void {
    if (this.#machine === null || this.#session === null || this.#beat === null || this.#gone) return;
    const { seq, report } = this.#beat;
    this.#beat = null;
    const own = beats(this.#machine.jobs);
    const { disk, ...rest } = report;
    const words = JSON.stringify([own, rest]);
    const bytes = disk?.freeBytes ?? 0;
    const ack = () => this.#tell({ type: 'ack', seq });
    const now = performance.now();
    const { words: before, bytes: bytesBefore, at } = this.#said;
    // The roll says that it is there; what is known of it is not written again.
    if (!own && words === before && bytes === bytesBefore) ack();
    else {
      const news = words !== before || (own && now - at > SILENT_MS);
      this.#said = { words, bytes, at: now };
      this.context.presence.add({ machine: this.id, session: this.#session, report, beats: own }, news, ack);
    }
    if (report.finished) void this.#finish();
  }

  /** An agent sends its status once its machine is known, which is when it has a seat. */
  #take({ entries }: StatusReport): void {
    if (this.#seat === null || this.#gone) return;
    const upTo = Math.max(...entries.map(({ number }) => number));
    this.context.statusIntake.take(this.id, entries, () => this.#tell({ type: 'status-log', upTo }));
  }

  /** Tried once at a time; the next beat says it again. */
  async #finish(): Promise<void> {
    if (this.#finishing) return;
    this.#finishing = true;
    try {
      await finishWorkloadMachine(this.context.state, this.id);
    } catch (error) {
      log().warn({ err: error }, `machine ${this.id} has finished, which could not be written yet`);
    } finally {
      this.#finishing = false;
    }
  }

  end(): void {
    this.#leave();
    this.#seat?.leave();
    this.#ended = true;
  }

  async #begin(version: string): Promise<void> {
    const { state, directory } = this.context;
    // Followed before it is read: what changes in between is heard, and the versions say which is newer.
    this.#leave = directory.listen(this.id, {
      onMachine: (document) => (document === null ? this.#sayGone() : this.#learn(document, null)),
      onCommon: ({ authority, addresses, setting }) => {
        this.#tellAuthority(authority);
        this.#adopt(setting);
        this.#learn(null, addresses);
      },
      onGap: () => close(this.socket, CLOSE.again, 'say hello again'),
    });
    try {
      const [common, machine] = await Promise.all([directory.common(), directory.machine(this.id)]);
      if (common === null) return close(this.socket, CLOSE.again, 'the environment is not there yet');
      if (machine === null) return this.#sayGone();
      this.#url = common.url;
      this.#tellAuthority(common.authority);
      // Whatever was heard meanwhile is followed by all that is newer.
      if (this.#settings === null) this.#adopt(common.setting);
      this.#learn(machine, common.addresses);
      this.#beSeated();
      if (machine.agentVersion !== version && !this.#gone) await setAgentVersion(state, this.id, version);
    } catch (error) {
      close(this.socket, CLOSE.again, reasonOf(error).slice(0, 100));
    }
  }

  #beSeated(): void {
    if (this.#gone || this.#ended || this.#session === null) return;
    this.#seat = this.context.operations.attach({
      machine: this.id,
      session: this.#session,
      tell: (message) => this.#tell(message),
      fail: (reason) => close(this.socket, CLOSE.again, reason.slice(0, 100)),
    });
    this.#tell({ type: 'status-log', upTo: 0 });
  }

  #adopt(setting: SettingDocument | null): void {
    const suspectAfterMs = durationMs(effectiveValue(SUSPECT_AFTER, setting?.value, '')) as number;
    const news = this.#settings?.suspectAfterMs !== suspectAfterMs;
    this.#settings = { suspectAfterMs };
    if (news) this.#tellMachine();
  }

  /** Once for each version; before the machine, as what is done for jobs is done by it. */
  #tellAuthority(authority: Common['authority']): void {
    if (authority === null || authority.version <= this.#authorityVersion) return;
    const { version, phase, trusted, voucher } = authority;
    this.#authorityVersion = version;
    this.#tell({ type: 'authority', version, phase, trusted, voucher });
  }

  /** Takes over what is newer than what is known, and tells the agent. */
  #learn(machine: MachineDocument | null, addresses: AddressesDocument | null): void {
    const isNewMachine = machine !== null && machine.version > (this.#machine?.version ?? 0);
    const areNewAddresses = addresses !== null && addresses.version > (this.#addresses?.version ?? 0);
    if (isNewMachine) this.#machine = knownOf(machine);
    if (areNewAddresses) this.#addresses = addresses;
    if (isNewMachine || areNewAddresses) this.#tellMachine();
    if (isNewMachine) this.#bePlaced(machine);
  }

  /** Who beats for itself is on no roll. It may become the one or the other while it is connected. */
  #bePlaced({ jobs }: Known): void {
    if (this.#gone || this.#ended) return;
    const { rollCall } = this.context;
    if (beats(jobs)) rollCall.strike(this.socket);
    else {
      rollCall.add({
        machine: this.id,
        socket: this.socket,
        heartbeatMs: () => this.#pace?.heartbeatMs ?? 0,
        onNumber: () => this.#tellPace(jobs),
      });
    }
    this.#tellPace(jobs);
    this.#present();
  }

  #tellPace(jobs: MachineDocument['jobs']): void {
    const pace = paceOf(jobs, this.context.rollCall.number);
    if (JSON.stringify(pace) === JSON.stringify(this.#pace)) return;
    this.#pace = pace;
    this.#tell({ type: 'pace', ...pace });
  }

  #tellMachine(): void {
    if (this.#machine === null || this.#settings === null || this.#gone) return;
    if (this.#machine.life === 'dead') {
      this.#sayGone();
      return;
    }
    const { life, jobs, version, memberId } = this.#machine;
    const { version: addressVersion = 0, servers = [] } = this.#addresses ?? {};
    this.#tell({
      type: 'machine',
      life,
      jobs,
      version,
      memberId,
      addresses: { version: addressVersion, servers, url: this.#url },
      settings: this.#settings,
    });
  }

  #sayGone(): void {
    this.#gone = true;
    this.context.presence.drop(this.id);
    this.context.rollCall.strike(this.socket);
    this.#tell({ type: 'gone' });
    close(this.socket, CLOSE.gone, 'the machine is gone');
  }

  #tell(message: ToAgent): void {
    send(this.socket, JSON.stringify(message));
  }
}
