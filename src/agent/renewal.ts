import { readFile } from 'node:fs/promises';
import type { ApiClient } from '../client/client.js';
import { renewCertificate } from '../client/renew.js';
import { reasonOf } from '../errors.js';
import { isDue, splitPem } from '../pki/certificate.js';
import { writePrivate } from '../store/files.js';
import type { Machine } from './machine.js';
import { say } from './say.js';
import type { Services } from './services.js';
import type { Note } from './status-log/status-log.js';

const EVERY_MS = 3_600_000;

/**
 * Sees to it that no certificate of this machine ends: once an hour those near their end are replaced while everything
 * runs. A controller issues them itself, any other machine asks a controller for its own.
 */
export class Renewal {
  #timer: NodeJS.Timeout | null = null;
  #checking: Promise<void> = Promise.resolve();

  constructor(
    private readonly machine: Machine,
    private readonly services: Services,
    private readonly client: ApiClient,
    private readonly note: Note,
  ) {}

  begin(): void {
    this.#timer = setInterval(() => void this.check(), EVERY_MS);
    void this.check();
  }

  end(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** Looks now; one look at a time. */
  check(): Promise<void> {
    this.#checking = this.#checking
      .then(() => this.#check())
      .catch((error) => {
        const text = `The machine's certificate could not be renewed: ${reasonOf(error)}`;
        say(text, 'warn');
        this.note('certificate', 'not-renewed', text);
      });
    return this.#checking;
  }

  async #check(): Promise<void> {
    await this.services.renewCertificates();
    const { own } = this.machine.files;
    if (await renewOwn(own, this.client)) this.note('certificate', 'renewed', 'Its own certificate is a new one.');
    this.client.useCertificate(splitPem(await readFile(own, 'utf8')));
  }
}

/** Replaces the certificate and key in this file when it is near its end, by the API. Whether it was. */
export async function renewOwn(file: string, client: ApiClient): Promise<boolean> {
  if (!isDue(await readFile(file, 'utf8'))) return false;
  const { certificate, key } = await renewCertificate(client);
  await writePrivate(file, certificate + key);
  return true;
}
