import type { Command } from 'commander';
import type { Log, LogLine } from '../api/log.js';
import type { Status } from '../api/status.js';
import { type ApiServerAddress, askEach } from '../client/each.js';
import { QuorateError, usageError } from '../errors.js';
import { inOrder } from '../log/entries.js';
import { textOf } from '../log/line.js';
import { type DebugLogOptions, queryOf, wantedBy } from './debug-log/query.js';
import { withEnvironment } from './output.js';

export function configure(command: Command): void {
  withEnvironment(command)
    .option('--machine <ids>', 'of these controllers alone: 0 or 0,2 (default: of all)')
    .option('--level <level>', 'trace, debug, info, warn, error or fatal, and what is graver', 'info')
    .option('--since <duration>', 'of the last 30s, 10m, 2h or 1d, by the clock of whoever wrote it')
    .option('-n, --lines <n>', 'so many lines at most, the last ones', '50')
    .option('-f, --follow', 'go on with what comes, until Ctrl-C')
    .option('--format <format>', 'text, or json: one object a line', 'text')
    .addHelpText(
      'after',
      '\nAgents, API servers, workers and mongods of all controllers, merged by time.\n\nExamples:\n  quorate debug-log --level warn --since 10m\n  quorate debug-log --machine 1,2 --follow\n  quorate debug-log -n 500 --format json',
    )
    .action(debugLog);
}

const DIAL_MS = 3000;
/** A connection that is followed is given up when it is silent, not when it is old. */
const NEVER_MS = 2 ** 31 - 1;

async function debugLog(options: DebugLogOptions): Promise<void> {
  const wanted = wantedBy(options);
  const { openEnvironment } = await import('./client.js');
  const { client, record, store } = await openEnvironment(options.environment);
  try {
    const tls = await store.credentials(record.name);
    if (tls === null) throw new QuorateError('no-credentials', `there is no certificate of ${record.name} here.`);
    const environment = { uuid: record.uuid, name: record.name };
    const servers = async () => chosenOf((await client.request<Status>('GET', '/v1/status')).body, wanted.machines);
    const show = (lines: readonly LogLine[]) => {
      for (const line of lines)
        process.stdout.write(`${options.format === 'json' ? JSON.stringify(line) : text(line)}\n`);
    };
    const note = (sentence: string) => process.stderr.write(`quorate: ${sentence}\n`);

    const all = await servers();
    const asked = await askEach({ environment, tls, servers: all }, (ask) => ask<Log>(queryOf(wanted)));
    for (const { machine, problem } of asked)
      if (problem !== '') note(`machine ${machine} cannot be asked: ${problem}`);
    const logs = asked.flatMap(({ answer }) => (answer === null ? [] : [answer]));
    if (logs.length === 0) {
      throw new QuorateError('no-controller', 'no controller told its log.', {
        todo: 'See what each of them is: quorate controllers --matrix',
      });
    }
    const lines = inOrder(logs.flatMap((log) => log.lines));
    show(lines.slice(Math.max(0, lines.length - wanted.limit)));
    if (!options.follow) return;

    const { followLogs } = await import('./debug-log/follow.js');
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort());
    await followLogs(
      {
        wanted,
        servers,
        ask: async (server, work) => {
          const tried = await askEach(
            { environment, tls, servers: [server], timeoutMs: NEVER_MS, dialMs: DIAL_MS },
            work,
          );
          return tried[0] as (typeof tried)[number];
        },
        show,
        note,
        signal: stop.signal,
      },
      new Map(logs.map(({ machine, cursor }) => [machine, cursor])),
    );
  } finally {
    await client.close();
  }
}

function chosenOf({ controllers }: Status, machines: readonly string[] | null): ApiServerAddress[] {
  const known = controllers.filter(({ api }) => api !== '');
  const unknown = machines?.find((id) => !known.some(({ machine }) => machine === id));
  if (unknown !== undefined) {
    const ids = known.map(({ machine }) => machine).join(', ');
    throw usageError('no-controller', `machine ${unknown} is no controller.`, `Controllers are: ${ids}.`);
  }
  return machines === null ? known : known.filter(({ machine }) => machines.includes(machine));
}

function text(line: LogLine): string {
  const { time, level, program, machine, msg, environment, requestId, ...details } = line;
  const word = (value: unknown) => (typeof value === 'string' ? value : '');
  return textOf({
    time,
    level,
    program,
    machine,
    msg,
    environment: word(environment),
    requestId: word(requestId),
    details,
  });
}
