import { type Static, Type } from '@sinclair/typebox';

/** A kind of instance that a cloud has to give. */
export const InstanceType = Type.Object({
  name: Type.String(),
  cores: Type.Integer({ minimum: 1 }),
  memMiB: Type.Integer({ minimum: 1 }),
  diskGiB: Type.Integer({ minimum: 1 }),
});
export type InstanceType = Static<typeof InstanceType>;

/** "local.small (1 core, 1G of memory, 8G of disk)". */
export function instanceTypeText({ name, cores, memMiB, diskGiB }: InstanceType): string {
  return `${name} (${cores} ${cores === 1 ? 'core' : 'cores'}, ${sizeText(memMiB)} of memory, ${diskGiB}G of disk)`;
}

/** MiB as people type it: 512M, 4G. */
export function sizeText(mib: number): string {
  return mib % 1024 === 0 ? `${mib / 1024}G` : `${mib}M`;
}
