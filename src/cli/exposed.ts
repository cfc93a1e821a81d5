import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ingress } from '../api/exposures.js';
import type { Machine } from '../api/machines.js';
import type { ApiClient } from '../client/client.js';
import { QuorateError } from '../errors.js';
import { EVERYWHERE } from '../machines/cidrs.js';
import { type PortRange, type PortRule, portsText } from '../machines/ports.js';
import { formatOf, type OutputOptions, print, type Symbols } from './output.js';

/** The firewaller takes some tenths of a second; whoever waits longer is told how to look. */
const WAIT_MS = 5000;
const LOOK_MS = 100;

/** Refusals of what was typed, though only a controller could know: nothing was done, and typed again it is refused again. */
const USAGE: ReadonlySet<string> = new Set([
  'bad-ports',
  'bad-cidr',
  'too-many-ports',
  'overlapping-ports',
  'not-exposed',
  'machine-not-alive',
  'not-found',
]);

async function asUsage<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof QuorateError) || !USAGE.has(error.code)) throw error;
    throw new QuorateError(error.code, error.message, { todo: error.todo, exit: 2, cause: error });
  }
}

/** What is exposed on a machine: what `expose` and `unexpose` print. */
export interface ExposedMachine {
  readonly machine: string;
  /** It has an instance, so that there is something to let in to. */
  readonly started: boolean;
  readonly ingress: Ingress | null;
}

/** Asks for a change of what is exposed on a machine, and prints what came of it. */
export async function changeExposed(
  machine: string,
  asked: { readonly expose: readonly PortRule[] } | { readonly unexpose: readonly PortRange[] },
  options: OutputOptions & { readonly environment?: string },
): Promise<void> {
  formatOf(options);
  const { openEnvironment } = await import('./client.js');
  const { client } = await openEnvironment(options.environment);
  try {
    const [verb, body] =
      'expose' in asked ? ['expose', { rules: asked.expose }] : ['unexpose', { ports: asked.unexpose }];
    const idempotencyKey = randomUUID();
    await asUsage(client.request('POST', `/v1/machines/${machine}/${verb}`, { body, idempotencyKey }));
    const seen = await untilOpen(client, machine);
    await print(seen, options, () => tellIngress(seen));
  } finally {
    client.close();
  }
}

/** As soon as it is in effect or was tried in vain, or after a while. */
async function untilOpen(client: ApiClient, machine: string): Promise<ExposedMachine> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const { ingress, instance } = (await client.request<Machine>('GET', `/v1/machines/${machine}`)).body;
    const seen = { machine, started: instance !== '', ingress };
    const settled = !seen.started || ingress === null || ingress.open || ingress.error !== '';
    if (settled || performance.now() > deadline) return seen;
    await sleep(LOOK_MS);
  }
}

/** In words. Pure. */
export function tellIngress({ machine, started, ingress }: ExposedMachine): string {
  if (ingress === null || ingress.rules.length === 0) {
    const open = ingress === null || ingress.open || !started;
    return `Nothing is exposed on machine ${machine}.${open ? '' : ` ${LATER}`}`;
  }
  const { rules, address, open, error } = ingress;
  const ports = rules.map(ruleText).join(', ');
  if (!started) return `Exposed on machine ${machine}: ${ports}. Let in to as soon as it has its instance.`;
  if (error !== '') return `Exposed on machine ${machine}: ${ports}. Not all of it is open: ${error}`;
  return open
    ? `Exposed on machine ${machine}, at ${address}: ${ports}.`
    : `Exposed on machine ${machine}: ${ports}. ${LATER}`;
}

const LATER = 'That is not in effect yet: see quorate machines, and who does it with quorate singletons.';

/** Ports, and for whom where that is not everybody. */
export function ruleText(rule: PortRule): string {
  const everybody = EVERYWHERE.every((cidr) => rule.cidrs.includes(cidr));
  return `${portsText(rule)}${everybody ? '' : ` for ${rule.cidrs.join(', ')}`}`;
}

/** A line for each machine with exposed ports, below a table: what the column has no room for. */
export function exposureNotes(machines: readonly Pick<Machine, 'id' | 'ingress'>[], sign: Symbols): string[] {
  return machines.flatMap(({ id, ingress }) => {
    const text = exposureText(ingress);
    return text === '' ? [] : [`  ${sign.note} ${id}: exposed${text}`];
  });
}

/** Where, which ports and how far, in words that go after "exposed"; empty for nothing. A controller of before says nothing. */
export function exposureText(ingress: Ingress | null | undefined): string {
  if (!ingress || ingress.rules.length === 0) return '';
  const { rules, address, open, error } = ingress;
  const how = error !== '' ? `; not all open: ${error}` : open ? '' : '; not open yet';
  return `${address === '' ? '' : ` at ${address}`}: ${rules.map(ruleText).join(', ')}${how}`;
}
