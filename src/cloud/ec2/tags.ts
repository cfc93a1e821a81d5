import type { Filter, Tag } from '@aws-sdk/client-ec2';
import type { InstanceTags } from '../cloud.js';

/** Names of the tags that everything of ours carries from its creation. */
export const TAGS = {
  environment: 'quorate:environment',
  machine: 'quorate:machine',
  nonce: 'quorate:nonce',
  /** Of a security group: what it is for. */
  role: 'quorate:role',
  /** Of a security group: the instance whose ports it opens. */
  instance: 'quorate:instance',
  /** Of a security group: the version of the rules that were set last. */
  version: 'quorate:version',
} as const;

export type TagName = keyof typeof TAGS;

/** Tags as Amazon takes them, in an order that does not change. */
export function tagsFrom(values: Partial<Record<TagName, string>>): Tag[] {
  return (Object.keys(TAGS) as TagName[]).flatMap((name) => {
    const value = values[name];
    return value === undefined ? [] : [{ Key: TAGS[name], Value: value }];
  });
}

/** The value of one of our tags; empty where it lacks. */
export function tagOf(tags: readonly Tag[] | undefined, name: TagName): string {
  return tags?.find(({ Key }) => Key === TAGS[name])?.Value ?? '';
}

/** What carries these tags. */
export function tagged(values: Partial<Record<TagName, string>>): Filter[] {
  return tagsFrom(values).map(({ Key, Value }) => ({ Name: `tag:${Key}`, Values: [Value ?? ''] }));
}

/** What carries one of our tags, whatever its value. */
export const taggedAtAll = (name: TagName): Filter[] => [{ Name: 'tag-key', Values: [TAGS[name]] }];

/** An instance's tags; null for one that is not ours. */
export function instanceTags(tags: readonly Tag[] | undefined): InstanceTags | null {
  const [environment, machine, nonce] = (['environment', 'machine', 'nonce'] as const).map((name) => tagOf(tags, name));
  return environment && machine && nonce ? { environment, machine, nonce } : null;
}
