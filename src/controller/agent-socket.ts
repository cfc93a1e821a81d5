import { Value } from '@sinclair/typebox/value';
import type { WebSocket } from 'ws';
import { AgentMessage, CLOSE, type ToAgent } from '../api/sockets.js';
import { reasonOf } from '../errors.js';
import { log } from '../log/log.js';
import type {
  AddressesDocument,
  AgentSettings,
  EnvironmentDocument,
  MachineDocument,
  SettingDocument,
} from '../state/documents.js';
import { setAgentVersion } from '../state/machines.js';
import { persist } from '../state/retry.js';
import { durationMs, effectiveValue } from '../state/settings.js';
import type { State } from '../state/state.js';
import { finishWorkloadMachine } from '../state/workload-machines.js';
import type { Feed } from './feed.js';
import { isKeepable } from './keepable.js';
import type { OperationDesk, Seat } from './operation-desk.js';
import type { PresenceBatch } from './presence-batch.js';
import { close, send } from './socket.js';

export interface AgentContext {
  readonly state: State;
  readonly feed: Feed;
  readonly presence: PresenceBatch;
  readonly operations: OperationDesk;
}

/** How long an agent that was let in may take to say who it is. */
const HELLO_MS = 10_000;
/** Characters: of what is written every second, and told to every controller. */
const LARGEST_REPORT = 16 * 1024;
/** The one setting that agents need. */
const SUSPECT_AFTER = 'suspect-after';
/** How long the documents are waited for, over elections, before the agent is sent to another controller. */
const DOCUMENTS_MS = 30_000;

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

type Presence = Extract<AgentMessage, { type: 'presence' }>;

class AgentSession {
  /** The agent's run, once it has said hello. */
  #session: string | null = null;
  #machine: MachineDocument | null = null;
  #addresses: AddressesDocument | null = null;
  #url = '';
  #settings: AgentSettings | null = null;
  #authorityVersion = 0;
  /** The first beat, while the machine's document is still being read. */
  #early: Presence | null = null;
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
    // Presence of a machine that is not known would outlive it.
    else if (this.#machine === null) this.#early = message;
    else this.#present(this.#session, message);
  }

  #present(session: string, { seq, report }: Presence): void {
    if (this.#gone) return;
    this.context.presence.add({ machine: this.id, session, report }, () => this.#tell({ type: 'ack', seq }));
    if (report.finished) void this.#finish();
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
    const { state, feed } = this.context;
    // Followed before it is read: what changes in between comes as an event, and the versions say which is newer.
    this.#leave = feed.subscribe({
      onEvent: ({ kind, id, document }) => {
        if (kind === 'environment' && document !== null)
          this.#tellAuthority(document as unknown as EnvironmentDocument);
        if (kind === 'addresses' && document !== null) this.#learn(null, document as unknown as AddressesDocument);
        if (kind === 'settings' && id === SUSPECT_AFTER) this.#adopt(document as SettingDocument | null);
        if (kind !== 'machines' || id !== this.id) return;
        if (document === null) this.#sayGone();
        else this.#learn(document as unknown as MachineDocument, null);
      },
      onGap: () => close(this.socket, CLOSE.again, 'say hello again'),
    });
    try {
      const [environment, machine, addresses, setting] = await persist(
        state,
        async () => {
          // A server that has just begun: what changed after the reading and before the feed's first event would be missed.
          await feed.ready;
          return await Promise.all([
            state.environment.findOne({}),
            state.machines.findOne({ _id: this.id }),
            state.addresses.findOne({ _id: 'current' }),
            state.settings.findOne({ _id: SUSPECT_AFTER }),
          ]);
        },
        DOCUMENTS_MS,
      );
      if (environment === null) return close(this.socket, CLOSE.again, 'the environment is not there yet');
      if (machine === null) return this.#sayGone();
      this.#url = environment.url;
      this.#tellAuthority(environment);
      // Whatever the feed has said meanwhile is followed by all that is newer.
      if (this.#settings === null) this.#adopt(setting);
      this.#learn(machine, addresses);
      if (this.#early !== null && this.#session !== null) this.#present(this.#session, this.#early);
      this.#early = null;
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
  }

  #adopt(setting: SettingDocument | null): void {
    const suspectAfterMs = durationMs(effectiveValue(SUSPECT_AFTER, setting?.value, '')) as number;
    const news = this.#settings?.suspectAfterMs !== suspectAfterMs;
    this.#settings = { suspectAfterMs };
    if (news) this.#tellMachine();
  }

  /** Once for each version; before the machine, as what is done for jobs is done by it. */
  #tellAuthority({ authority }: EnvironmentDocument): void {
    if (authority === undefined || authority.version <= this.#authorityVersion) return;
    const { version, phase, trusted, voucher } = authority;
    this.#authorityVersion = version;
    this.#tell({ type: 'authority', version, phase, trusted, voucher });
  }

  /** Takes over what is newer than what is known, and tells the agent. */
  #learn(machine: MachineDocument | null, addresses: AddressesDocument | null): void {
    let news = false;
    if (machine !== null && machine.version > (this.#machine?.version ?? 0)) {
      this.#machine = machine;
      news = true;
    }
    if (addresses !== null && addresses.version > (this.#addresses?.version ?? 0)) {
      this.#addresses = addresses;
      news = true;
    }
    if (news) this.#tellMachine();
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
    this.#tell({ type: 'gone' });
    close(this.socket, CLOSE.gone, 'the machine is gone');
  }

  #tell(message: ToAgent): void {
    send(this.socket, JSON.stringify(message));
  }
}
