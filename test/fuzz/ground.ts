import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TlsFiles } from '../../src/client/client.js';
import { recordInstance } from '../../src/state/machines.js';
import { call, type Target } from '../support/calls.js';
import { TestControllers } from '../support/controllers.js';
import { type Sample, samplesOf } from '../support/exposition.js';
import type { TestMembers } from '../support/members.js';

/** Who asks: people and programs by what they may, nobody, and the agent of a workload machine. */
export const ROLES = ['admin', 'write', 'read', 'nobody', 'agent'] as const;
export type Role = (typeof ROLES)[number];

/** What somebody shows: a certificate, a token, or neither. */
export interface Login {
  readonly tls: TlsFiles;
  readonly token?: string;
}

/** What the API server's process has been, seen from outside of it and by its own figures. */
export interface Health {
  /** Resident memory, MiB. */
  readonly residentMiB: number;
  /** Answers since it began, by their status. */
  readonly answers: ReadonlyMap<string, number>;
}

const MACHINE = '0';
/** Documents that a route's path can hit: agents call from machine 1, nothing is known of machine 2's instance. */
const WORKLOAD = ['1', '2'] as const;

/**
 * One controller's API server, a process of its own on a real mongod, with a little of everything in its documents. No agent
 * runs here, so no command that is thought up is ever run on this machine; and nobody starts the API server again, so that
 * its death is seen.
 */
export class Ground implements AsyncDisposable {
  private constructor(
    readonly controllers: TestControllers,
    readonly logins: Readonly<Record<Role, Login>>,
  ) {}

  static async open(): Promise<Ground> {
    const controllers = await TestControllers.serving(1);
    try {
      return new Ground(controllers, await furnish(controllers.set, controllers));
    } catch (error) {
      await controllers[Symbol.asyncDispose]();
      throw error;
    }
  }

  get set(): TestMembers {
    return this.controllers.set;
  }

  /** host:port */
  get address(): string {
    return this.controllers.address(MACHINE);
  }

  /** As somebody who calls by hand. */
  target(role: Role): Target {
    return this.controllers.target(this.logins[role]);
  }

  /** Throws when the API server has ended. */
  async health(): Promise<Health> {
    const { pid, exitCode, signalCode } = this.controllers.process(MACHINE);
    if (exitCode !== null || signalCode !== null) {
      throw new Error(
        `the API server ended with ${exitCode ?? signalCode}:\n${this.controllers.said(MACHINE).slice(-4000)}`,
      );
    }
    const { status, body } = await call(this.target('read'), 'GET', '/metrics');
    if (status !== 200) throw new Error(`GET /metrics was answered with ${status}`);
    const [, kib = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return { residentMiB: Number(kib) / 1024, answers: byStatus(samplesOf(String(body.text))) };
  }

  /** What the API server said that a defect says: lines of level error and above, and whatever is no line of ours. */
  complaints(): string[] {
    return this.controllers
      .said(MACHINE)
      .split('\n')
      .filter((line) => line !== '' && !/^\{"level":"(trace|debug|info|warn)"|^audit: \d+ entries were not/.test(line));
  }

  /** Takes away what inputs have added, so that answers do not grow with the number of inputs. */
  async tidy(): Promise<void> {
    const { state } = this.controllers;
    await state.machines.deleteMany({ _id: { $nin: [MACHINE, ...WORKLOAD] } });
    await state.users.deleteMany({ _id: { $ne: 'somebody' } });
    await state.credentials.deleteMany({ user: { $not: /^fuzz-/ } });
    await Promise.all(
      [state.operationOutput, state.operationResults, state.operations, state.requests, state.audit].map((documents) =>
        documents.deleteMany({}),
      ),
    );
    await state.settings.deleteMany({ _id: /^x-/ });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.controllers[Symbol.asyncDispose]();
  }
}

async function furnish(set: TestMembers, controllers: TestControllers): Promise<Record<Role, Login>> {
  const operator = {
    address: controllers.address(MACHINE),
    environment: set.environment,
    tls: controllers.operator,
  };
  const change = async (method: string, path: string, body: unknown) => {
    const answer = await call(operator, method, path, { body, key: randomUUID() });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  await change('POST', '/v1/machines', { count: WORKLOAD.length });
  const { state } = controllers;
  const { epoch = 0 } = (await state.environment.findOne({})) ?? {};
  const nonce = (await state.machines.findOne({ _id: WORKLOAD[0] }))?.nonce ?? '';
  const instance = { id: 'i-1', address: '127.0.0.1', ports: { api: 17070, mongo: 37017 }, state: 'running' };
  await recordInstance(state, { epoch }, { id: WORKLOAD[0], nonce }, instance);
  await change('POST', '/v1/users', { name: 'somebody', role: 'read', password: 'a password of somebody' });
  await change('PUT', '/v1/settings/x-something', { value: 'anything', version: 0 });
  await change('POST', '/v1/operations', { command: ['true'], machines: [...WORKLOAD], background: true });
  const nobody = { tls: { ca: controllers.ca } };
  const token = async (role: Role) => {
    const { token: made } = await change('POST', '/v1/tokens', { user: `fuzz-${role}`, role, days: 30 });
    return { ...nobody, token: String(made) };
  };
  return {
    admin: { tls: controllers.operator },
    write: await token('write'),
    read: await token('read'),
    nobody,
    agent: { tls: await controllers.certificate(`machine-${WORKLOAD[0]}`, 'agent') },
  };
}

function byStatus(samples: readonly Sample[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { name, labels, value } of samples) {
    if (name !== 'quorate_api_request_duration_seconds_count') continue;
    const { status = '' } = labels;
    counts.set(status, (counts.get(status) ?? 0) + value);
  }
  return counts;
}
