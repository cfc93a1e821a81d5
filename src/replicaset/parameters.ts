/**
 * How a mongod is started, and the server parameters that Quorate wants of it: as data, with what the lack of each costs.
 *
 * A mongod refuses to start over a parameter that it does not know, so as few as possible are given at the start. The rest
 * is set on the running server, where a refusal harms nobody and is shown.
 */
import type { MongoClient } from 'mongodb';
import { reasonOf } from '../errors.js';

/** The replica set's name in every environment. */
export const REPLICA_SET = 'juju';

export interface ServerParameter {
  readonly name: string;
  readonly value: number | string;
  /** `start`: only on the command line. `runtime`: by setParameter, after every start. */
  readonly when: 'start' | 'runtime';
  /** What is worse without it, in words. */
  readonly lack: string;
}

export const PARAMETERS: readonly ServerParameter[] = [
  {
    // Of TLS 1.2, which it speaks too: forward secrecy and authenticated encryption alone. Those of 1.3 all have both.
    name: 'opensslCipherConfig',
    value: 'ECDHE+AESGCM:ECDHE+CHACHA20',
    when: 'start',
    lack: 'whoever speaks no TLS 1.3 may agree with it on an older cipher',
  },
  {
    name: 'oplogNetworkTimeoutBufferSeconds',
    value: 1,
    when: 'start',
    lack: 'each renewed attempt to reach a frozen member takes four seconds longer',
  },
  {
    // The pauses between the attempts double from a millisecond on: 255 ms for the next primary to be there, and no longer.
    name: 'oplogFetcherSteadyStateMaxFetcherRestarts',
    value: 8,
    when: 'runtime',
    lack: 'a killed primary costs one second about every other time, as the secondaries give up before they know the next primary',
  },
  {
    name: 'oplogRetriedFindMaxSeconds',
    value: 1,
    when: 'runtime',
    lack: 'each renewed attempt to reach a frozen member takes a second longer',
  },
  {
    name: 'changeSyncSourceThresholdMillis',
    value: 0,
    when: 'runtime',
    lack: 'secondaries may move to follow another secondary that seems nearer, and the loss of that one delays writes',
  },
  {
    // Hundred times what ours take on a machine that is not busy: one that is ended too early is made again.
    name: 'transactionLifetimeLimitSeconds',
    value: 5,
    when: 'runtime',
    lack: 'a controller that is killed within a transaction keeps all others from what that one had written for a minute',
  },
  {
    name: 'shutdownTimeoutMillisForSignaledShutdown',
    value: 1000,
    when: 'runtime',
    lack: 'mongod takes 15 s to leave when it is stopped in order',
  },
];

export interface MongodOptions {
  /** Directory of the data, which exists. */
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly address: string;
  readonly port: number;
  /** PEM file with the member's certificate (OU=member) and its key, mode 0600. */
  readonly certificateKeyFile: string;
  readonly caFile: string;
  /** Size of the WiredTiger cache in MB; mongod decides when it is left out. */
  readonly cacheMb?: number;
  /** Start parameters that this mongod has refused before (`refusedParameter`). */
  readonly without?: readonly string[];
}

/**
 * The command line of a member's mongod: TLS only, members and clients known by certificates of the environment's CA. No
 * Unix socket: members on several loopback addresses would share its path.
 */
export function mongodArguments(options: MongodOptions): string[] {
  const parameters = PARAMETERS.filter((p) => p.when === 'start' && !options.without?.includes(p.name));
  return [
    ...['--replSet', REPLICA_SET],
    ...['--dbpath', options.dataDirectory],
    ...['--bind_ip', options.address, '--port', String(options.port), '--nounixsocket'],
    ...['--tlsMode', 'requireTLS', '--tlsCertificateKeyFile', options.certificateKeyFile],
    ...['--tlsCAFile', options.caFile, '--clusterAuthMode', 'x509'],
    ...['--logpath', options.logFile, '--logappend'],
    ...(options.cacheMb === undefined ? [] : ['--wiredTigerCacheSizeGB', String(options.cacheMb / 1024)]),
    ...parameters.flatMap((p) => ['--setParameter', `${p.name}=${p.value}`]),
  ];
}

/** The parameter that a mongod which ended at once refused, from what it logged; it is then started without. */
export function refusedParameter(output: string): string | null {
  const name = /Unknown --setParameter '?(\w+)/.exec(output)?.[1];
  return PARAMETERS.find((p) => p.when === 'start' && p.name === name)?.name ?? null;
}

export interface ParameterReport {
  readonly name: string;
  readonly taken: boolean;
  /** Why it was refused and what that costs; empty when it was taken. */
  readonly problem: string;
}

/** Sets the runtime parameters on a running mongod and reports on all of them; a refusal is reported, not thrown. */
export async function applyParameters(
  mongod: MongoClient,
  without: readonly string[] = [],
): Promise<ParameterReport[]> {
  // The driver is loaded by who has a server already: agents start one before they need it.
  const { adminCommand } = await import('./connect.js');
  const report: ParameterReport[] = [];
  for (const { name, value, when, lack } of PARAMETERS) {
    if (when === 'start') {
      const taken = !without.includes(name);
      report.push({ name, taken, problem: taken ? '' : `mongod does not know ${name}: ${lack}` });
      continue;
    }
    try {
      await adminCommand(mongod, { setParameter: 1, [name]: value });
      report.push({ name, taken: true, problem: '' });
    } catch (error) {
      report.push({ name, taken: false, problem: `mongod refused ${name} (${reasonOf(error)}): ${lack}` });
    }
  }
  return report;
}

/** What a mongod lacks and what that costs, from a report kept as each parameter's name and `set` or the problem. */
export function missingParameters(report: Readonly<Record<string, string>>): { parameter: string; cost: string }[] {
  return PARAMETERS.filter(({ name }) => report[name] !== 'set').map(({ name, lack }) => ({
    parameter: name,
    cost: lack,
  }));
}
