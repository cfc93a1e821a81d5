import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { ApiClient } from '../client/client.js';
import { usageError } from '../errors.js';
import { FREE_PREFIX, TIMINGS } from '../state/settings.js';
import { columns, type OutputOptions, print, withEnvironment, withFormat } from './output.js';

interface Setting {
  readonly key: string;
  readonly value: string;
  readonly version: number;
}

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly all?: boolean;
}

/** Programs may keep thousands of keys; people look for the environment's settings among them. */
const OWN_SHOWN = 20;

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .option('--all', `all of your own keys, not only ${OWN_SHOWN}`)
    .argument('[settings...]', 'KEY to read, KEY=VALUE to change, KEY= to go back to its default')
    .addHelpText(
      'after',
      '\nKeys that begin with x- are yours to use.\n\nExamples:\n  quorate config\n  quorate config heartbeat-interval\n  quorate config auto-replace=false x-owner=ana',
    )
    .action(async (words: string[], options: Options) => {
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        const changes = words.filter((word) => word.includes('='));
        if (changes.length > 0 && changes.length < words.length) {
          throw usageError(
            'mixed-settings',
            'settings are either read or changed, not both at once.',
            `Not of the form KEY=VALUE: ${words.filter((word) => !word.includes('=')).join(', ')}.`,
          );
        }
        if (changes.length === 0) await show(client, words, options);
        else {
          await changeSettings(client, changes);
          if (changes.some((word) => TIMINGS.some((timing) => word.startsWith(`${timing}=`)))) {
            const { configureSet } = await import('./configure-set.js');
            await configureSet(client, options);
          }
        }
      } finally {
        client.close();
      }
    });
}

async function show(client: ApiClient, keys: readonly string[], options: Options): Promise<void> {
  const settings: Setting[] = [];
  if (keys.length === 0) {
    let after = '';
    for (;;) {
      const query = after ? `?after=${encodeURIComponent(after)}` : '';
      const { body } = await client.request<{ settings: Setting[]; next: string | null }>(
        'GET',
        `/v1/settings${query}`,
      );
      settings.push(...body.settings);
      if (!body.next) break;
      after = body.next;
    }
  }
  for (const key of keys)
    settings.push((await client.request<Setting>('GET', `/v1/settings/${encodeURIComponent(key)}`)).body);
  await print(Object.fromEntries(settings.map(({ key, value }) => [key, value])), options, () =>
    keys.length === 1 ? (settings[0]?.value ?? '') : table(settings, options.all || keys.length > 0),
  );
}

async function table(settings: readonly Setting[], all: boolean): Promise<string> {
  const own = settings.filter(({ key }) => key.startsWith(FREE_PREFIX));
  const left = all ? 0 : Math.max(0, own.length - OWN_SHOWN);
  const shown = left === 0 ? settings : settings.filter((each) => !own.slice(OWN_SHOWN).includes(each));
  const rows = await columns(
    ['SETTING', 'VALUE'],
    shown.map(({ key, value }) => [key, value]),
  );
  return left === 0 ? rows : `${rows}\n${left} more keys of yours: quorate config --all`;
}

/** Each is a compare-and-set on the version just read: what somebody else changed meanwhile is never overwritten. */
export async function changeSettings(client: ApiClient, words: readonly string[]): Promise<void> {
  for (const word of words) {
    const [key, value] = [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)];
    const path = `/v1/settings/${encodeURIComponent(key)}`;
    const { version } = (await client.request<Setting>('GET', `${path}?absent=empty`)).body;
    if (value === '') {
      if (version > 0) await client.request('DELETE', `${path}?version=${version}`, { idempotencyKey: randomUUID() });
    } else await client.request('PUT', path, { body: { value, version }, idempotencyKey: randomUUID() });
  }
}
