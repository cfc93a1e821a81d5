import { setTimeout as sleep } from 'node:timers/promises';
import { serverName } from '../../src/pki/certificate.js';
import { type Random, seededRandom } from '../campaign/random.js';
import { call } from '../support/calls.js';
import { Ground, type Health, ROLES, type Role } from './ground.js';
import { KINDS, type Port } from './port.js';
import { python, schemathesis } from './schemathesis.js';

/** How much: rounds of it, until as many inputs were sent, or as long. */
export interface Extent {
  readonly seed: number;
  /** For each operation of the API and each role in a round, at most. */
  readonly examples: number;
  /** As whom the edges of every schema are tried too, in the first round: a thousand inputs that are always the same. */
  readonly edges: readonly Role[];
  /** Inputs of bytes in a round. */
  readonly bytes: number;
  /** Whether another round is to come. */
  readonly goesOn: (sofar: { readonly inputs: number; readonly seconds: number }) => boolean;
  readonly tell: (line: string) => void;
}

export interface Outcome {
  readonly inputs: number;
  readonly seconds: number;
  /** Inputs by what sent them: a role, or a kind of bytes. */
  readonly sent: ReadonlyMap<string, number>;
  /** Answers of the API server by status. */
  readonly answers: ReadonlyMap<string, number>;
  /** MiB after the first part of the first round's bytes, at the end, and at most in between. */
  readonly resident: { readonly first: number; readonly last: number; readonly most: number };
  /** The longest that somebody who asked for the status all the while waited, milliseconds. */
  readonly slowestMs: number;
  /** What is wrong, in words; none is what is hoped for. */
  readonly defects: readonly string[];
}

/**
 * How much more memory the API server may have at the end than after its first thousands of inputs. What it needs for the
 * largest answers and for its caches it has had by then; what V8 keeps of a heap without need moves by a hundred MiB.
 */
export const MAY_GROW_MIB = 128;
/** Longer than any answer should take beside all this on two busy cores. */
export const SLOWEST_MS = 5000;
const AT_ONCE = 16;
const LOOK_MS = 100;
/** Of a round's bytes: after each of them what was added is taken away, and the memory looked at. */
const PARTS = 4;
const MOST_DEFECTS = 20;

/** Everything that this sends, to an API server of its own. Throws when that ends. */
export async function fuzz(extent: Extent): Promise<Outcome> {
  const program = await python();
  await using ground = await Ground.open();
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const sent = new Map<string, number>();
  const defects: string[] = [];
  const resident: number[] = [];
  const witness = new Witness(ground);
  let health = await ground.health();
  for (let round = 0; round === 0 || extent.goesOn({ inputs: sum(sent), seconds: seconds() }); round += 1) {
    const seed = extent.seed + round;
    for (const role of ROLES) {
      // Whoever logs out has no token any more: that comes last, in a run of its own.
      const last = ground.logins[role].token === undefined ? [] : ['logout'];
      const asked = { address: ground.address, login: ground.logins[role], seed, examples: extent.examples };
      const edges = round === 0 && extent.edges.includes(role);
      const [before, witnessed] = [await ground.health(), witness.asked];
      const found = await schemathesis(program, { ...asked, edges, without: last });
      health = await ground.health();
      count(sent, `as ${role}`, answered(health) - answered(before) - (witness.asked - witnessed));
      if (found !== '') defects.push(`as ${role}, seed ${seed}: ${found}`);
      extent.tell(
        `as ${role}: ${sum(sent)} inputs in ${Math.round(seconds())} s, ${Math.round(health.residentMiB)} MiB`,
      );
      await ground.tidy();
    }
    for (let part = 0; part < PARTS; part += 1) {
      await bytes(ground, seededRandom(seed, `bytes ${part}`), extent.bytes / PARTS, sent);
      await ground.tidy();
      health = await ground.health();
      resident.push(health.residentMiB);
    }
    extent.tell(
      `round ${round + 1}: ${sum(sent)} inputs in ${Math.round(seconds())} s, ${Math.round(health.residentMiB)} MiB, ${defects.length} defects`,
    );
    if (defects.length > MOST_DEFECTS) break;
  }
  const { first = 0, last = 0, most = 0 } = { first: resident[0], last: resident.at(-1), most: Math.max(...resident) };
  const slowestMs = await witness.slowestMs();
  if (last - first > MAY_GROW_MIB) defects.push(`its memory grew from ${first} to ${last} MiB`);
  if (slowestMs > SLOWEST_MS) defects.push(`somebody who asked for the status waited ${slowestMs} ms`);
  for (const [status, times] of health.answers) if (/^5/.test(status)) defects.push(`${times} answers ${status}`);
  defects.push(...ground.complaints().slice(0, MOST_DEFECTS));
  return {
    inputs: sum(sent),
    seconds: seconds(),
    sent,
    answers: health.answers,
    resident: { first, last, most },
    slowestMs,
    defects,
  };
}

/** The outcome in lines for people. */
export function outcomeText({ inputs, seconds, sent, answers, resident, slowestMs, defects }: Outcome): string {
  const list = (counts: ReadonlyMap<string, number>) =>
    [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, times]) => `  ${name}: ${times}`);
  const { first, last, most } = resident;
  return [
    `${inputs} inputs in ${Math.round(seconds)} s`,
    ...list(sent),
    'Answers of the API server, by status',
    ...list(answers),
    `Its memory: ${Math.round(first)} MiB after the first thousands, ${Math.round(last)} at the end, ${Math.round(most)} at most`,
    `Somebody who asked for the status all the while waited ${slowestMs} ms at most`,
    defects.length === 0 ? 'No defect.' : `${defects.length} defects:\n\n${defects.join('\n\n')}`,
  ].join('\n');
}

/** So many inputs of bytes, of each kind by its weight, some at once. */
async function bytes(ground: Ground, random: Random, inputs: number, sent: Map<string, number>): Promise<void> {
  const [host = '', port = ''] = ground.address.split(':');
  const servername = serverName(ground.set.environment);
  const to: Port = { host, port: Number(port), servername, logins: Object.values(ground.logins) };
  const kinds = KINDS.map(([weight, name, kind]) => [weight, { name, kind }] as const);
  let left = inputs;
  const send = async () => {
    while (left > 0) {
      const { name, kind } = random.pick(kinds);
      const times = await kind(to, random);
      left -= times;
      count(sent, name, times);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, send));
}

/** Somebody who asks for the status all the while, on connections of their own, and notes how long that took. */
class Witness {
  readonly #asking: Promise<void>;
  /** How often, until now. */
  asked = 0;
  #over = false;
  #slowestMs = 0;

  constructor(private readonly ground: Ground) {
    this.#asking = this.#ask();
    // A failure is told by whoever waits for the end.
    this.#asking.catch(() => undefined);
  }

  /** Stops. Throws when one was not answered, or not well. */
  async slowestMs(): Promise<number> {
    this.#over = true;
    await this.#asking;
    return Math.round(this.#slowestMs);
  }

  async #ask(): Promise<void> {
    while (!this.#over) {
      const began = performance.now();
      this.asked += 1;
      const { status } = await call(this.ground.target('read'), 'GET', '/v1/status');
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - began);
      if (status !== 200) throw new Error(`the status was answered with ${status}`);
      await sleep(LOOK_MS);
    }
  }
}

const answered = ({ answers }: Health): number => sum(answers);
const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((all, one) => all + one, 0);

function count(counts: Map<string, number>, name: string, times: number): void {
  counts.set(name, (counts.get(name) ?? 0) + times);
}
