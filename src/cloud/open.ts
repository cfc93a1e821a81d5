import { type QuorateError, usageError } from '../errors.js';
import type { CloudSettings } from './cloud.js';
import type { Ec2Cloud } from './ec2/ec2-cloud.js';
import type { LocalCloud } from './local/local-cloud.js';

/** The clouds that this version knows. A third one is a folder beside these, a name here and a line in `openCloud`. */
export const CLOUDS = ['local', 'ec2'] as const;
export type CloudKind = (typeof CLOUDS)[number];

/** A cloud as `Cloud` has it; what is its own is there once `kind` has said which it is. */
export type OpenedCloud = LocalCloud | Ec2Cloud;

/** Where an environment lies, as its record says it. */
export interface CloudPlace {
  readonly cloud: string;
  readonly region: string;
  /** What was kept with it for its cloud; absent where that has nothing to keep, or a version before kept nothing. */
  readonly cloudSettings?: CloudSettings;
}

export interface OpenWith {
  /** The directory of the local cloud's instances. */
  readonly localCloud: string;
  /** Told what is waited for, in a sentence. */
  readonly onWait?: (sentence: string) => void;
}

/** The cloud of an environment. Each is loaded when it is needed: EC2's SDK takes most of a second. */
export async function openCloud(
  { cloud, region, cloudSettings = {} }: CloudPlace,
  { localCloud, onWait }: OpenWith,
): Promise<OpenedCloud> {
  switch (cloudKind(cloud)) {
    case 'local': {
      const { openLocalCloud } = await import('./local/open.js');
      return openLocalCloud(localCloud, region);
    }
    case 'ec2': {
      const [{ openEc2Cloud }, { keptSettings }] = await Promise.all([
        import('./ec2/open.js'),
        import('./ec2/settings.js'),
      ]);
      return openEc2Cloud(region, keptSettings(cloudSettings), onWait);
    }
  }
}

/** Throws `unknown-cloud` for a name that is no cloud's. @param hint stands behind the name: which one may be meant */
export function cloudKind(name: string, hint = ''): CloudKind {
  const kind = CLOUDS.find((known) => known === name);
  if (kind !== undefined) return kind;
  throw unknownCloud(name, hint);
}

function unknownCloud(name: string, hint: string): QuorateError {
  return usageError(
    'unknown-cloud',
    `this version of Quorate knows no cloud '${name.slice(0, 40)}'${hint}.`,
    `There are: ${CLOUDS.join(', ')}.`,
  );
}
