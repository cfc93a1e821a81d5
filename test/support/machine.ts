import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { UserData } from '../../src/boot/user-data.js';
import type { TemporalConnection } from '../../src/boot/wire.js';
import { bootCall, enrolOperator, type OperatorCredentials } from '../../src/client/enrol.js';
import { INSTANCE_TYPES } from '../../src/cloud/local/instance-types.js';
import { processesOf } from './home.js';
import { COMMANDS } from './programs.js';

const init = fileURLToPath(new URL('../../bin/quorated-init', import.meta.url));

export const newUserData = (given: Partial<UserData> = {}): UserData => ({
  quorate: 1,
  environment: { name: 'test', uuid: randomUUID() },
  machine: '0',
  nonce: randomBytes(16).toString('hex'),
  addresses: [],
  url: '',
  ca: '',
  token: randomBytes(32).toString('hex'),
  install: { source: 'local', version: '0.1.0' },
  ...given,
});

/** An instance without a cloud: user data, metadata, and the start script that the local cloud runs. */
export class TestMachine {
  readonly directory: string;
  readonly ports = { api: 17070, mongo: 37017 };
  #init: ChildProcess | null = null;

  constructor(
    parent: string,
    readonly userData: UserData,
    readonly address: string,
  ) {
    this.directory = join(parent, `machine-${userData.machine}`);
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    writeFileSync(join(this.directory, 'user-data.json'), JSON.stringify(userData), { mode: 0o600 });
    const metadata = { instance: this.instance, address, ports: this.ports, zone: 'a' };
    writeFileSync(join(this.directory, 'metadata.json'), JSON.stringify(metadata));
  }

  get instance(): string {
    return `i-${this.userData.machine}`;
  }

  get target() {
    return { address: this.address, port: this.ports.api, environment: this.userData.environment.uuid };
  }

  start(): void {
    const log = openSync(join(this.directory, 'console.log'), 'a');
    this.#init = spawn(init, [], {
      detached: true,
      env: {
        ...process.env,
        QUORATE_INSTANCE: this.instance,
        QUORATE_INSTANCE_DIR: this.directory,
        QUORATE_NODE: process.execPath,
      },
      stdio: ['ignore', log, log],
    });
  }

  get running(): boolean {
    return this.#init !== null && this.#init.exitCode === null && this.#init.signalCode === null;
  }

  /** The power button. Resolves when the start script has left. */
  async shutdown(): Promise<void> {
    const gone = new Promise((resolve) => this.#init?.once('exit', resolve));
    this.#init?.kill('SIGTERM');
    await gone;
  }

  /** A power cut: nobody gets to do anything more. */
  async powerCut(): Promise<void> {
    const pid = this.#init?.pid;
    if (pid === undefined) return;
    const gone = new Promise((resolve) => this.#init?.once('exit', resolve));
    process.kill(-pid, 'SIGKILL');
    await gone;
    while (processesOf(this.directory).length > 0) await sleep(20);
  }

  /** PIDs of one service, found by what runs and not by what is reported. */
  pids(what: 'agent' | 'mongod' | 'api' | 'worker'): number[] {
    return processesOf(this.directory).flatMap(({ pid, command }) => (COMMANDS[what].test(command) ? [pid] : []));
  }

  file(...names: string[]): string {
    return readFileSync(join(this.directory, ...names), 'utf8');
  }

  get console(): string {
    return this.file('console.log');
  }
}

/** Enrols the operator, as soon as machine 0 listens. */
export async function enrolWhenUp(machine: TestMachine, token = machine.userData.token): Promise<OperatorCredentials> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await enrolOperator({ ...machine.target, machine: '0', token, user: 'tester' });
    } catch (error) {
      if (!/ECONNREFUSED/.test(String(error)) || tries > 400) throw error;
      await sleep(50);
    }
  }
}

export const SEED = {
  cloud: 'local',
  region: 'local',
  zones: ['a'],
  instanceTypes: [...INSTANCE_TYPES],
  desired: 1,
  url: '',
  temporal: { clusterId: 'test', namespace: 'default' },
  settings: {},
};

/** All of bootstrap up to, and not including, the API server. */
export async function bootstrapUntilSeeded(
  machine: TestMachine,
  credentials: OperatorCredentials,
  temporal: TemporalConnection,
): Promise<void> {
  await bootCall(machine.target, credentials, '/boot/temporal', temporal);
  await bootCall(machine.target, credentials, '/boot/initiate', { settings: {} });
  await bootCall(machine.target, credentials, '/boot/seed', SEED);
}
