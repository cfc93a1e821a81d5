import { type QuorateError, usageError } from '../errors.js';
import { type Constraints, constraintsText } from './constraints.js';
import { type InstanceType, instanceTypeText } from './instance-type.js';

/** What an environment's cloud has to give. */
export interface Offer {
  readonly zones: readonly string[];
  /** Empty where nobody said: then the cloud chooses, or refuses when the instance is started. */
  readonly types: readonly InstanceType[];
}

/** Where a machine may be, and as what; decided once, with its document. */
export interface Placement {
  readonly zones: readonly string[];
  /** Name of an instance type; empty where the cloud chooses. */
  readonly instanceType: string;
}

const SIZES = ['cores', 'memMiB', 'diskGiB'] as const;

/**
 * The smallest instance type that meets the constraints, and the zones that they allow. Refuses constraints that
 * contradict each other or that nobody can meet, and says what comes nearest.
 */
export function place(constraints: Constraints, offer: Offer): Placement {
  return { zones: zonesOf(constraints, offer), instanceType: typeOf(constraints, offer) };
}

function zonesOf({ zones }: Constraints, offer: Offer): readonly string[] {
  const unknown = zones?.find((zone) => !offer.zones.includes(zone));
  if (unknown !== undefined) {
    throw unmet(`The cloud has no zone ${unknown}.`, `It has: ${offer.zones.join(', ')}.`);
  }
  return zones ?? offer.zones;
}

function typeOf(constraints: Constraints, { types }: Offer): string {
  const { instanceType: named } = constraints;
  if (types.length === 0) return named ?? '';
  if (named !== undefined) return meetingNamed(named, constraints, types).name;
  const [smallest] = types.filter((type) => lacks(type, constraints).length === 0).sort(bySize);
  if (smallest !== undefined) return smallest.name;
  const { zones: _, ...sizes } = constraints;
  throw unmet(
    `No instance type of the cloud meets ${constraintsText(sizes)}.`,
    `Nearest comes ${instanceTypeText(nearest(constraints, types))}.`,
  );
}

/** A type that is asked for by name must itself be as large as the rest asks for. */
function meetingNamed(named: string, constraints: Constraints, types: readonly InstanceType[]): InstanceType {
  const type = types.find(({ name }) => name === named);
  if (type === undefined) {
    const names = [...types].sort(bySize).map(({ name }) => name);
    throw unmet(`The cloud has no instance type ${named}.`, `It has: ${names.join(', ')}.`);
  }
  const lacking = lacks(type, constraints);
  if (lacking.length === 0) return type;
  const asked = Object.fromEntries(lacking.map((size) => [size, constraints[size]]));
  throw usageError(
    'bad-constraints',
    `instance-type=${named} and ${constraintsText(asked)} contradict each other: it is ${instanceTypeText(type)}.`,
    'Leave one of them out.',
  );
}

const lacks = (type: InstanceType, constraints: Constraints) =>
  SIZES.filter((size) => type[size] < (constraints[size] ?? 0));

/** The one whose worst shortfall is least; among equals the larger. */
function nearest(constraints: Constraints, types: readonly InstanceType[]): InstanceType {
  const shortfall = (type: InstanceType) => Math.max(...SIZES.map((size) => (constraints[size] ?? 0) / type[size]));
  return [...types].sort((a, b) => shortfall(a) - shortfall(b) || bySize(b, a))[0] as InstanceType;
}

const bySize = (a: InstanceType, b: InstanceType): number =>
  a.cores - b.cores || a.memMiB - b.memMiB || a.diskGiB - b.diskGiB;

function unmet(message: string, todo: string): QuorateError {
  return usageError('unmet-constraints', message, todo);
}
