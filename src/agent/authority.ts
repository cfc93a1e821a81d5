import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControllerKeys } from '../api/access.js';
import type { ToldAuthority } from '../api/sockets.js';
import { ApiClient } from '../client/client.js';
import { renewCertificate } from '../client/renew.js';
import { QuorateError, reasonOf } from '../errors.js';
import { forgetPrevious, type Keys, promoteNext, readNext, writeNext } from '../pki/key-files.js';
import { authorityOf, certificatesIn, isIssuedBy, issuerIn } from '../pki/trust.js';
import { readIfThere, writePrivate } from '../store/files.js';
import { holdsControllerKeys, readLogin, readPem } from './keys.js';
import type { Machine } from './machine.js';
import { SaidOnce, say } from './say.js';
import type { Services } from './services.js';

const AGAIN_MS = 300;
/** Thousands of machines are told at the same moment, and each needs a certificate. */
const SPREAD_MS = 1500;

export interface AuthorityOptions {
  readonly machine: Machine;
  readonly services: Services;
  readonly client: ApiClient;
  /** Everything here goes by a newer version. */
  readonly onEffect: (told: ToldAuthority) => void;
}

/**
 * Puts into effect whom the environment trusts and who certifies: on disk, in what runs, in this agent. It comes from where
 * this machine is and not from what happened before, so a step that was slept through or interrupted is made up for.
 */
export class AuthorityKeeper {
  readonly #ending = new AbortController();
  #newest: ToldAuthority | null = null;
  #working = false;
  readonly #failures = new SaidOnce();

  constructor(private readonly options: AuthorityOptions) {}

  hear(told: ToldAuthority): void {
    if (told.version <= (this.options.machine.conf.authorityVersion ?? 0)) return;
    if (told.version <= (this.#newest?.version ?? 0)) return;
    this.#newest = told;
    if (!this.#working) void this.#work();
  }

  end(): void {
    this.#ending.abort();
  }

  /** Until the newest is in effect. */
  async #work(): Promise<void> {
    const { signal } = this.#ending;
    const { machine } = this.options;
    this.#working = true;
    while (this.#newest !== null && !signal.aborted) {
      const told = this.#newest;
      try {
        await this.#apply(told, signal);
        await machine.update({ authorityVersion: told.version });
        say(`The environment's CAs are known here as of version ${told.version} (${told.phase}).`);
        this.#failures.over();
        if (this.#newest === told) this.#newest = null;
        this.options.onEffect(told);
      } catch (error) {
        if (signal.aborted) break;
        this.#failures.say(`What the environment trusts could not be put into effect yet: ${reasonOf(error)}`, 'warn');
        await sleep(AGAIN_MS, undefined, { signal }).catch(() => {});
      }
    }
    this.#working = false;
  }

  async #apply(told: ToldAuthority, signal: AbortSignal): Promise<void> {
    const { machine, services, client } = this.options;
    const { files } = machine;
    const controller = await holdsControllerKeys(files);
    if (controller) await this.#holdKeys(told, signal);
    if ((await readIfThere(files.voucher)) !== told.voucher) await writePrivate(files.voucher, told.voucher);
    if ((await readFile(files.ca, 'utf8')) !== told.trusted) await writePrivate(files.ca, told.trusted);
    client.trust(told.trusted);
    if (controller) await services.takeOverCertificates();
    else await this.#renewOwn(issuerIn(told.trusted), signal);
    client.useCertificate(await readPem(files.own));
    if (controller && (told.phase === 'dropping' || told.phase === 'done')) await forgetPrevious(files);
  }

  /** The CA's key of whichever CA this controller must be able to issue with, and the boot key that goes with it. */
  async #holdKeys({ phase, trusted }: ToldAuthority, signal: AbortSignal): Promise<void> {
    const { files } = this.options.machine;
    const next = await readNext(files);
    if (phase === 'trusting') {
      const [, coming = ''] = certificatesIn(trusted);
      if (next === null || authorityOf(next.caKey, coming) === null)
        await writeNext(files, await this.#fetch(coming, signal));
      return;
    }
    const issuer = issuerIn(trusted);
    if (next !== null && authorityOf(next.caKey, issuer) !== null) return await promoteNext(files);
    if (authorityOf(await readFile(files.caKey, 'utf8'), issuer) !== null) return;
    await writeNext(files, await this.#fetch(issuer, signal));
    await promoteNext(files);
  }

  /** Asks one controller after the other until one holds the keys of this CA: the one that made it, and then more of them. */
  async #fetch(authority: string, signal: AbortSignal): Promise<Keys> {
    const { machine } = this.options;
    for (const { api } of machine.conf.addresses.servers.filter(({ api }) => api !== machine.api)) {
      signal.throwIfAborted();
      const keys = await this.#askOne(api, signal).catch((error) => {
        this.#failures.say(`${api} did not hand over the environment's keys: ${reasonOf(error)}`, 'warn');
        return null;
      });
      for (const held of [keys, keys?.next]) {
        if (held && authorityOf(held.caKey, authority) !== null) return held;
      }
    }
    throw new QuorateError('no-authority', 'no controller that answers holds the keys of the next CA.');
  }

  async #askOne(api: string, signal: AbortSignal): Promise<ControllerKeys> {
    const { environment, files, metadata } = this.options.machine;
    const client = new ApiClient({
      environment,
      addresses: [api],
      // This one alone: the published set would add the others.
      addressesVersion: Number.MAX_SAFE_INTEGER,
      tls: await readLogin(files, files.own),
      localAddress: metadata.address,
    });
    try {
      const options = { signal, timeoutMs: 3000 };
      return (await client.request<ControllerKeys>('GET', '/v1/controller-keys', options)).body;
    } finally {
      await client.close();
    }
  }

  async #renewOwn(issuer: string, signal: AbortSignal): Promise<void> {
    const { machine, client } = this.options;
    const { own } = machine.files;
    if (isIssuedBy(await readFile(own, 'utf8'), issuer)) return;
    await sleep(Math.random() * SPREAD_MS, undefined, { signal });
    const { certificate, key } = await renewCertificate(client);
    if (!isIssuedBy(certificate, issuer)) {
      throw new QuorateError('rotating', 'the controller that was asked does not issue by the next CA yet.');
    }
    await writePrivate(own, certificate + key);
  }
}
