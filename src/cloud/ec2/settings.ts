import { usageError } from '../../errors.js';
import { EVERYWHERE, parseCidrs } from '../../machines/cidrs.js';
import type { CloudSettings } from '../cloud.js';
import { type NamedSources, namedSources } from './boot/named-sources.js';
import type { BootSources } from './boot/sources.js';
import { type Endpoints, endpointsFrom } from './endpoints.js';
import { checkImageName, DEFAULT_IMAGE } from './image-names.js';

/** How an environment lies on EC2: what a person said at its bootstrap, and what was fixed then. Kept with it. */
export interface Ec2Settings {
  /** ID or Name tag of the VPC; empty for the region's default one. */
  readonly vpc: string;
  /** `debian-12`, `ubuntu-24.04`, `al2023`, or an image's ID. */
  readonly image: string;
  /** Instance types that are offered, `*` for any letters. */
  readonly types: readonly string[];
  /** Size of each instance's one disk. */
  readonly diskGiB: number;
  /** Name of the instance profile whose role instances get; empty for none. */
  readonly profile: string;
  /** From where the API is reached from outside. */
  readonly apiFrom: readonly string[];
  /** Where the services are, if not at Amazon's own endpoints. */
  readonly endpoints: Endpoints;
  /** Sources of parts that a person named. */
  readonly named: NamedSources;
  /** Where instances get what they run; absent until that lies there. */
  readonly sources?: BootSources;
}

/** General ones of the last generations: what a constraint can ask for, and few enough for a document. */
const TYPES = ['t3.*', 't3a.*', 't4g.*', 'm6i.*', 'm6a.*', 'm7i.*', 'm7g.*', 'c7i.*', 'c7g.*', 'r7i.*', 'r7g.*'];

export const DEFAULTS: Ec2Settings = {
  vpc: '',
  image: DEFAULT_IMAGE,
  types: TYPES,
  diskGiB: 16,
  profile: '',
  apiFrom: EVERYWHERE,
  endpoints: {},
  named: {},
};

const PREFIX = 'QUORATE_EC2_';
/** What each is called in the environment's variables. */
export const VARIABLES = {
  vpc: `${PREFIX}VPC`,
  image: `${PREFIX}IMAGE`,
  types: `${PREFIX}TYPES`,
  diskGiB: `${PREFIX}DISK_GIB`,
  profile: `${PREFIX}INSTANCE_PROFILE`,
  apiFrom: `${PREFIX}API_FROM`,
} as const satisfies Partial<Record<keyof Ec2Settings, string>>;

/** Settings from the environment's variables. Refuses, in words, what cannot be meant. Pure. */
export function settingsFrom(env: NodeJS.ProcessEnv): Ec2Settings {
  const said = (name: keyof typeof VARIABLES) => env[VARIABLES[name]]?.trim() ?? '';
  const words = (name: keyof typeof VARIABLES) =>
    said(name)
      .split(/[\s,]+/)
      .filter((word) => word !== '');
  const diskGiB = said('diskGiB') === '' ? DEFAULTS.diskGiB : Number(said('diskGiB'));
  if (!Number.isInteger(diskGiB) || diskGiB < 8 || diskGiB > 16_384) {
    throw usageError(
      'bad-setting',
      `${VARIABLES.diskGiB} is '${said('diskGiB')}'.`,
      'Say a number of GiB from 8 to 16384.',
    );
  }
  const strange = words('types').find((type) => !/^[a-z0-9.*-]+$/.test(type));
  if (strange !== undefined) {
    throw usageError(
      'bad-setting',
      `${VARIABLES.types} names '${strange}'.`,
      'Say instance types as t3.medium or m7g.*',
    );
  }
  const image = said('image') || DEFAULTS.image;
  checkImageName(image);
  return {
    vpc: said('vpc'),
    image,
    types: words('types').length > 0 ? words('types') : DEFAULTS.types,
    diskGiB,
    profile: said('profile'),
    apiFrom: parseCidrs(words('apiFrom')),
    endpoints: endpointsFrom(env),
    named: namedSources(env),
  };
}

/** Settings as they are kept with an environment; what was not kept (by an older version) is as it is by default. Pure. */
export function keptSettings(kept: CloudSettings): Ec2Settings {
  return { ...DEFAULTS, ...(kept as Partial<Ec2Settings>) };
}

/** The region's name as Amazon writes them; refuses anything else before it becomes part of an address. */
export function checkRegionName(region: string): string {
  if (/^[a-z]{2,3}(-[a-z]+){1,3}-\d$/.test(region)) return region;
  throw usageError(
    'bad-region',
    region === '' ? 'EC2 needs a region.' : `'${region.slice(0, 40)}' is no region of Amazon’s.`,
    'They are written as eu-west-1: quorate bootstrap ec2/eu-west-1 NAME',
  );
}
