import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { duration } from '../api/duration.js';
import type { Maintenance } from '../api/maintenance.js';
import type { Status } from '../api/status.js';
import type { ApiClient } from '../client/client.js';
import { QuorateError, usageError } from '../errors.js';
import { maintenanceMs } from '../state/maintenance.js';
import { oneMachine } from './enable-ha.js';
import { formatOf, type OutputOptions, print, withEnvironment, withFormat } from './output.js';

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly for?: string;
  readonly end?: boolean;
  readonly detach?: boolean;
}

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .argument('<machine>', 'the machine that will be away')
    .option('--for <duration>', 'how long from now: 30s, 10m, 2h; at most 24h')
    .option('--end', 'end it now')
    .option('--detach', 'if the machine is the primary: do not wait until another one is')
    .addHelpText(
      'after',
      '\nWhile it lasts the machine may be silent and nothing is done to it: it is not replaced, and no primary is handed to it. A primary hands over first. It ends by itself.\n\nExamples:\n  quorate maintenance 1 --for 10m\n  quorate maintenance 1 --end',
    )
    .action(async (text: string, options: Options) => {
      const machine = oneMachine(text);
      if ((options.for === undefined) === (options.end !== true)) {
        throw usageError(
          'bad-maintenance',
          'either how long it lasts is said, or that it ends.',
          `Type: quorate maintenance ${machine} --for 10m      or: quorate maintenance ${machine} --end`,
        );
      }
      // Refused before anything is asked.
      if (options.for !== undefined) maintenanceMs(options.for);
      formatOf(options);
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        if (options.for === undefined) await end(client, machine, options);
        else await begin(client, machine, options.for, options);
      } finally {
        client.close();
      }
    });
}

async function end(client: ApiClient, machine: string, options: Options): Promise<void> {
  await client.request('DELETE', path(machine), { idempotencyKey: randomUUID() });
  await print({ machine, until: '' }, options, () => `Machine ${machine} is under maintenance no more.`);
}

/** Under maintenance first, so that nobody takes it for a successor; then the primary leaves it, if it is there. */
async function begin(client: ApiClient, machine: string, how: string, options: Options): Promise<void> {
  const { body } = await client.request<Maintenance>('PUT', path(machine), {
    body: { for: how },
    idempotencyKey: randomUUID(),
  });
  await print(
    body,
    options,
    () =>
      `Machine ${machine} is under maintenance for ${duration(maintenanceMs(how) / 1000)}; nothing is done to it. End it with: quorate maintenance ${machine} --end`,
  );
  const { ha } = (await client.request<Status>('GET', '/v1/status')).body;
  if (ha.primary !== machine) return;
  process.stderr.write(`Machine ${machine} is the primary; another one takes over.\n`);
  try {
    const { changeCommand } = await import('./change-controllers.js');
    // Programs read one document.
    const out = formatOf(options) === 'tabular' ? process.stdout : process.stderr;
    await changeCommand({ kind: 'switchover' }, options, out);
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    const message = `machine ${machine} is under maintenance and may still be the primary: ${error.message}`;
    throw new QuorateError(error.code, message, { todo: error.todo, cause: error });
  }
}

const path = (machine: string): string => `/v1/machines/${encodeURIComponent(machine)}/maintenance`;
