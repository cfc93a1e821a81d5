import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../errors.js';
import { exchange, type Identity } from '../pki/identity.js';
import type { AgentReport } from '../state/documents.js';
import { readLogin } from './keys.js';
import type { Machine } from './machine.js';
import { say } from './say.js';
import type { Succession } from './succession/succession.js';

/** A hand-over that takes longer is left to MongoDB, which hands over when its primary leaves in order. */
const HAND_OVER_MS = 1500;
/** Until a controller has said what the setting is. */
const SUSPECT_AFTER_MS = 500;

/** This machine's place in the succession, from when its mongod first runs until the mongod is to stop. */
export class Standing {
  #succession: Promise<Succession> | null = null;
  #current: Succession | null = null;
  #identity: Identity | null = null;

  constructor(
    private readonly machine: Machine,
    private readonly restartMongod: () => Promise<void>,
  ) {}

  begin(): void {
    if (this.#succession !== null) return;
    this.#succession = this.#start();
    this.#succession.catch((error) => say(`succession: it could not start: ${reasonOf(error)}`, 'warn'));
  }

  /** Takes over what agent.conf says now. */
  follow(): void {
    this.#current?.suspectAfter(this.#suspectAfterMs);
  }

  /** Goes by the certificates that lie in the files now. */
  async renew(): Promise<void> {
    if (this.#identity !== null) exchange(this.#identity, await this.#read());
  }

  async end(): Promise<void> {
    const succession = await this.#succession?.catch(() => null);
    this.#succession = null;
    this.#current = null;
    await succession?.stop();
  }

  /** Before an ordered stop: another member becomes primary where there is one that can. */
  async handOver(): Promise<void> {
    const succession = await this.#succession?.catch(() => null);
    if (succession == null) return;
    const late = new AbortController();
    await Promise.race([
      succession.handOver(HAND_OVER_MS).catch((error) => say(`succession: ${reasonOf(error)}`, 'warn')),
      sleep(HAND_OVER_MS, undefined, { signal: late.signal }).then(
        () => say(`succession: not handed over within ${HAND_OVER_MS} ms; MongoDB is left to do it`, 'warn'),
        () => {},
      ),
    ]);
    late.abort();
  }

  status(): AgentReport['succession'] {
    return this.#current?.status() ?? { stoodUp: 0, freed: 0, off: '' };
  }

  get #suspectAfterMs(): number {
    return this.machine.conf.settings?.suspectAfterMs ?? SUSPECT_AFTER_MS;
  }

  async #start(): Promise<Succession> {
    const { startSuccession } = await import('./succession/succession.js');
    const { mongo } = this.machine;
    this.#identity = await this.#read();
    this.#current = startSuccession({
      self: { host: mongo },
      tls: this.#identity,
      suspectAfterMs: this.#suspectAfterMs,
      restartMongod: this.restartMongod,
      onEvent: (text) => say(`succession: ${text}`),
    });
    return this.#current;
  }

  /** The member's own certificate: the set's users are not there before its data is. */
  #read(): Promise<Identity> {
    const { files } = this.machine;
    return readLogin(files, files.member);
  }
}
