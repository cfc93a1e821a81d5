import { type Static, Type } from '@sinclair/typebox';
import { usageError } from '../errors.js';

export const Protocol = Type.Union([Type.Literal('tcp'), Type.Literal('udp')]);
export type Protocol = Static<typeof Protocol>;

const Port = Type.Integer({ minimum: 1, maximum: 65_535 });

/** Ports in a row, both ends among them. */
export const PortRange = Type.Object({ protocol: Protocol, from: Port, to: Port }, { additionalProperties: false });
export type PortRange = Static<typeof PortRange>;

/** What is let in to these ports, and from where. */
export const PortRule = Type.Object(
  {
    ...PortRange.properties,
    cidrs: Type.Array(Type.String({ minLength: 1, maxLength: 50 }), { minItems: 1, maxItems: 20 }),
  },
  { additionalProperties: false },
);
export type PortRule = Static<typeof PortRule>;

const HOW = 'Say them as 80, 53/udp or 8000-8010/tcp; without a protocol it is tcp.';

/** One word of those that are typed: `80`, `53/udp`, `8000-8010/tcp`. */
export function parsePorts(word: string): PortRange {
  const shown = word.slice(0, 40);
  const [, first = '', last, protocol = 'tcp'] = /^(\d+)(?:-(\d+))?(?:\/([A-Za-z]+))?$/.exec(word.trim()) ?? [];
  if (first === '') throw bad(`'${shown}' names no ports.`, HOW);
  const spoken = protocol.toLowerCase();
  if (spoken !== 'tcp' && spoken !== 'udp') throw bad(`'${shown}' names ports of ${spoken}, not of tcp or udp.`, HOW);
  const [from, to] = [Number(first), Number(last ?? first)];
  for (const port of [from, to]) {
    if (port < 1 || port > 65_535) throw bad(`There is no port ${port}: ports are 1 to 65535.`, HOW);
  }
  refuseReversed({ protocol: spoken, from, to });
  return { protocol: spoken, from, to };
}

/** A range runs upwards; one that came as data may not. */
export function refuseReversed({ protocol, from, to }: PortRange): void {
  if (from > to) throw bad(`${from}-${to}/${protocol} runs backwards.`, `Is ${to}-${from}/${protocol} meant?`);
}

/** Ports as they are typed. */
export function portsText({ protocol, from, to }: PortRange): string {
  return `${from === to ? from : `${from}-${to}`}/${protocol}`;
}

export const samePorts = (a: PortRange, b: PortRange): boolean =>
  a.protocol === b.protocol && a.from === b.from && a.to === b.to;

/** Whether they have a port in common. */
export const overlap = (a: PortRange, b: PortRange): boolean =>
  a.protocol === b.protocol && a.from <= b.to && b.from <= a.to;

/** How many ports there are in them. */
export const countPorts = (ranges: readonly PortRange[]): number =>
  ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);

const bad = (message: string, todo: string) => usageError('bad-ports', message, todo);
