import { type Static, Type } from '@sinclair/typebox';
import { type QuorateError, usageError } from '../errors.js';
import { sizeText } from './instance-type.js';

/** What a machine must at least be; what is absent is left to the cloud. */
export const Constraints = Type.Object(
  {
    cores: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_536 })),
    memMiB: Type.Optional(Type.Integer({ minimum: 1, maximum: 2 ** 30 })),
    diskGiB: Type.Optional(Type.Integer({ minimum: 1, maximum: 2 ** 20 })),
    /** One of these. */
    zones: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { minItems: 1, maxItems: 20, uniqueItems: true }),
    ),
    instanceType: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  },
  { additionalProperties: false },
);
export type Constraints = Static<typeof Constraints>;

const KEYS = ['cores', 'mem', 'disk', 'zone', 'instance-type'] as const;
const HOW = 'Say them as: cores=2 mem=4G disk=20G zone=a,b instance-type=NAME.';
const MOST = { cores: 65_536, mem: 2 ** 30, disk: 2 ** 20 } as const;

/**
 * Constraints as they are typed, `KEY=VALUE` several to a word or word by word. Refuses what is not understood, and a key
 * that is said twice with two values.
 */
export function parseConstraints(words: readonly string[]): Constraints {
  const said = new Map<string, string>();
  for (const pair of words.flatMap((word) => word.split(/\s+/)).filter((pair) => pair !== '')) {
    const [key, value] = split(pair);
    const before = said.get(key);
    if (before !== undefined && before !== value) {
      throw bad(`the constraints ${key}=${before} and ${key}=${value} contradict each other.`, 'Say one of them.');
    }
    said.set(key, value);
  }
  const [cores, mem, disk] = [said.get('cores'), said.get('mem'), said.get('disk')];
  const [zone, instanceType] = [said.get('zone'), said.get('instance-type')];
  return {
    ...(cores === undefined ? {} : { cores: wholeNumber(cores) }),
    ...(mem === undefined ? {} : { memMiB: size('mem', mem, 1) }),
    ...(disk === undefined ? {} : { diskGiB: size('disk', disk, 1024) }),
    ...(zone === undefined ? {} : { zones: [...new Set(zone.split(',').filter((each) => each !== ''))] }),
    ...(instanceType === undefined ? {} : { instanceType }),
  };
}

/** Constraints as they are typed; empty for none. */
export function constraintsText({ cores, memMiB, diskGiB, zones, instanceType }: Constraints): string {
  return [
    cores === undefined ? '' : `cores=${cores}`,
    memMiB === undefined ? '' : `mem=${sizeText(memMiB)}`,
    diskGiB === undefined ? '' : `disk=${diskGiB}G`,
    zones === undefined ? '' : `zone=${zones.join(',')}`,
    instanceType === undefined ? '' : `instance-type=${instanceType}`,
  ]
    .filter((text) => text !== '')
    .join(' ');
}

function split(pair: string): [key: string, value: string] {
  const at = pair.indexOf('=');
  const [key, value] = [pair.slice(0, at), pair.slice(at + 1)];
  if (at < 1 || /^,*$/.test(value)) throw bad(`'${pair.slice(0, 80)}' is no constraint.`, HOW);
  if (!KEYS.some((known) => known === key)) {
    throw bad(`there is no constraint '${key.slice(0, 80)}'.`, `There are: ${KEYS.join(', ')}.`);
  }
  return [key, value];
}

function wholeNumber(text: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > MOST.cores) throw bad(`cores=${text.slice(0, 80)} is no number of cores.`, HOW);
  return value;
}

/** Of a size in units of so many MiB, rounded up; a bare number is in MiB for memory and in GiB for disks, as in Juju. */
function size(key: 'mem' | 'disk', text: string, unitMiB: number): number {
  const [, number = '', unit = ''] = /^(\d{1,10}(?:\.\d{1,3})?)([MGT]?)(?:i?B)?$/.exec(text) ?? [];
  const mib = Number(number) * ({ M: 1, G: 1024, T: 1024 ** 2 }[unit] ?? unitMiB);
  const units = Math.ceil(mib / unitMiB);
  if (number === '' || units < 1 || units > MOST[key]) {
    throw bad(`${key}=${text.slice(0, 80)} is no size of ${key === 'mem' ? 'memory' : 'a disk'}.`, HOW);
  }
  return units;
}

function bad(message: string, todo: string): QuorateError {
  return usageError('bad-constraints', message, todo);
}
