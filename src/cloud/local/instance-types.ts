import { usageError } from '../../errors.js';
import type { InstanceType } from '../../machines/instance-type.js';

/** What the local cloud pretends to have: its instances share this machine's processors and memory all the same. */
export const INSTANCE_TYPES = [
  { name: 'local.small', cores: 1, memMiB: 1024, diskGiB: 8 },
  { name: 'local.medium', cores: 2, memMiB: 4096, diskGiB: 16 },
  { name: 'local.large', cores: 4, memMiB: 8192, diskGiB: 32 },
  { name: 'local.xlarge', cores: 8, memMiB: 16_384, diskGiB: 64 },
] as const satisfies readonly InstanceType[];

/** By name; the smallest where none is named. */
export function instanceTypeNamed(name: string): InstanceType {
  const type = name === '' ? INSTANCE_TYPES[0] : INSTANCE_TYPES.find((each) => each.name === name);
  if (type !== undefined) return type;
  const names = INSTANCE_TYPES.map((each) => each.name).join(', ');
  throw usageError('unknown-instance-type', `the local cloud has no instance type ${name}`, `use ${names}`);
}
