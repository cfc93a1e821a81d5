import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { duration } from '../api/duration.js';
import { openClient } from '../client/open.js';
import { QuorateError, usageError } from '../errors.js';
import { isIssuedBy, issuerIn } from '../pki/trust.js';
import { durationMs } from '../state/settings.js';
import type { Store } from '../store/store.js';
import { progressOf, type StartedChange, startChange } from '../temporal/changes.js';
import { follow, mustBeDone } from './follow.js';
import { formatOf, type OutputOptions, print, withEnvironment, withFormat } from './output.js';
import { changeInput, openTemporal } from './temporal.js';

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly force?: boolean;
  readonly overlap: string;
  readonly wait: string;
  readonly detach?: boolean;
}

const HOUR_MS = 3_600_000;
const KEEP_UP_MS = 500;

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .option('--force', 'leave machines behind that are silent: they are not let in any more')
    .option('--overlap <duration>', 'how long certificates of both CAs are let in, at least', '10s')
    .option('--wait <duration>', 'how long machines are waited for that have not come along', '2m')
    .option('--detach', 'return as soon as this machine has its next certificate')
    .addHelpText(
      'after',
      '\nWhat rests half-way is gone on with. Whoever has a certificate here and no password uses the environment during the overlap, or takes another certificate afterwards (quorate cloud recover-access).\n\nExamples:\n  quorate rotate-ca\n  quorate rotate-ca --overlap 10m --detach\n  quorate rotate-ca --force',
    )
    .action(rotateCa);
}

async function rotateCa(options: Options): Promise<void> {
  const format = formatOf(options);
  const [overlapMs, waitMs] = [bounded('--overlap', options.overlap), bounded('--wait', options.wait)];
  const { store, record, engine, temporal } = await openTemporal(options.environment);
  const keepingUp = new AbortController();
  try {
    const began = performance.now();
    const force = options.force === true;
    const change = await startChange(temporal, 'rotateCa', {
      ...changeInput(record, engine),
      force,
      overlapMs,
      waitMs,
    });
    const along = keepUp(store, record.name, keepingUp.signal);
    const { id, url } = change;
    if (format === 'tabular') {
      process.stdout.write(`${record.name}: a new CA and boot key${url ? `\nfollow: ${url}` : ''}\n\n`);
    }
    const again = `quorate watch ${id}`;
    if (options.detach) {
      await untilCertified(store, record.name, change);
      process.stderr.write(`The rotation goes on by itself. Follow it with: ${again}\n`);
      if (format !== 'tabular') await print({ id, url, state: 'running', result: '' }, options, () => '');
      return;
    }
    const end = await follow(change, options, again);
    if (end === null) {
      process.stderr.write(
        'Use this environment once more before it is done, or this machine’s certificate ends with it.\n',
      );
      return;
    }
    mustBeDone(end, id);
    await along.once();
    const { state, result } = end;
    if (format !== 'tabular') await print({ id, url, state, result }, options, () => '');
    else process.stdout.write(`${result} ${duration((performance.now() - began) / 1000)}\n`);
  } finally {
    keepingUp.abort();
    await temporal.connection.close();
  }
}

function bounded(option: string, text: string): number {
  const ms = durationMs(text);
  if (ms !== null && ms <= 24 * HOUR_MS) return ms;
  throw usageError(
    'bad-duration',
    `${option} takes a duration of at most 24h, not '${text}'.`,
    'Say it as 30s, 5m or 1h.',
  );
}

/**
 * Has this machine's store come along: every connection learns whom the environment trusts, and asks for the certificate that
 * goes with it. What fails now is tried again in half a second.
 */
function keepUp(store: Store, name: string, signal: AbortSignal): { once(): Promise<void> } {
  const once = async () => {
    const client = await openClient(store, name);
    try {
      await client.request('GET', '/v1/authority', { timeoutMs: 3000, signal });
    } finally {
      await client.close();
    }
  };
  void (async () => {
    while (!signal.aborted) {
      await once().catch(() => undefined);
      await sleep(KEEP_UP_MS, undefined, { signal }).catch(() => undefined);
    }
  })();
  return { once };
}

/** Until the certificate in the store is by the next CA, or the rotation has ended some other way. */
async function untilCertified(store: Store, name: string, change: StartedChange): Promise<void> {
  const before = issuerIn((await store.authority(name)) ?? '');
  for (;;) {
    const progress = await progressOf(change.handle);
    if (progress !== null && progress.state !== 'running') {
      mustBeDone(progress, change.id);
      return;
    }
    const own = await store.credentials(name).catch((error) => {
      // Who logs in with a password needs none.
      if (error instanceof QuorateError && error.code === 'no-certificate') return null;
      throw error;
    });
    if (own === null || (!isIssuedBy(own.certificate, before) && isIssuedBy(own.certificate, issuerIn(own.ca)))) return;
    await sleep(KEEP_UP_MS / 2);
  }
}
