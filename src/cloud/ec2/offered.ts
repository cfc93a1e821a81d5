import type { InstanceTypeInfo } from '@aws-sdk/client-ec2';
import { type InstanceType, instanceTypeText, sizeText } from '../../machines/instance-type.js';
import type { Architecture } from './image-names.js';

/** An instance type with what starting one has to know. */
export interface Ec2Type extends InstanceType {
  readonly architecture: Architecture;
}

/** The least that a controller lives on: mongod's cache, API server, worker and agent. Nothing smaller is offered. */
export const LEAST = { cores: 2, memMiB: 2048 } as const;

/** What is offered: as large as needed at least, on demand, from a disk of Amazon's, the usual ones first. Pure. */
export function offered(seen: readonly InstanceTypeInfo[], patterns: readonly string[], diskGiB: number): Ec2Type[] {
  const place = ({ name }: Ec2Type) => patterns.findIndex((pattern) => matches(pattern, name));
  return seen
    .filter((type) => type.BareMetal !== true && (type.SupportedRootDeviceTypes ?? ['ebs']).includes('ebs'))
    .flatMap((type) => typeOf(type, diskGiB) ?? [])
    .filter(({ cores, memMiB }) => cores >= LEAST.cores && memMiB >= LEAST.memMiB)
    .sort((a, b) => a.cores - b.cores || a.memMiB - b.memMiB || place(a) - place(b) || a.name.localeCompare(b.name));
}

/** null for one that our images do not run on. Pure. */
export function typeOf(seen: InstanceTypeInfo, diskGiB: number): Ec2Type | null {
  const architecture = (['x86_64', 'arm64'] as const).find((each) =>
    seen.ProcessorInfo?.SupportedArchitectures?.includes(each),
  );
  const { InstanceType: name, VCpuInfo, MemoryInfo } = seen;
  if (architecture === undefined || name === undefined) return null;
  return { name, cores: VCpuInfo?.DefaultVCpus ?? 0, memMiB: MemoryInfo?.SizeInMiB ?? 0, diskGiB, architecture };
}

const matches = (pattern: string, name: string) =>
  new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(name);

/** Why one that the region has is not offered, in a sentence. Pure. */
export function whyNotOffered(type: Ec2Type, patterns: readonly string[]): string {
  const { name, cores, memMiB } = type;
  if (cores < LEAST.cores || memMiB < LEAST.memMiB) {
    const least = `${LEAST.cores} cores and ${sizeText(LEAST.memMiB)} of memory`;
    return `Instance type ${instanceTypeText(type)} is too small: a controller needs ${least}.`;
  }
  return `Instance type ${name} is not among those that are offered: ${patterns.join(' ')}.`;
}
