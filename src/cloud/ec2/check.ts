import { QuorateError } from '../../errors.js';
import type { Constraints } from '../../machines/constraints.js';
import { instanceTypeText } from '../../machines/instance-type.js';
import { place } from '../../machines/offer.js';
import type { Had, Parts } from './boot/parts.js';
import { type Bootable, bootable } from './boot/publish.js';
import { quotaSuffices } from './check-quota.js';
import { typeFor, zonesWithout } from './check-type.js';
import { mayMakeGroups, mayStart } from './dry-runs.js';
import type { Ec2Cloud } from './ec2-cloud.js';
import { type Who, whoAmI } from './who.js';

/** What is to be started. */
export interface Intent {
  readonly controllers: number;
  readonly constraints: Constraints;
  /** The directory of downloaded servers. */
  readonly toolchain: string;
}

/** What is looked at, in the order in which it is told. */
const LOOKS = [
  'credentials',
  'network',
  'zones',
  'instance type',
  'programs',
  'image',
  'security groups',
  'instances',
  'quota',
] as const;
export type Look = (typeof LOOKS)[number];

/** What is as it has to be. */
export interface Found {
  readonly look: Look;
  /** A sentence without its full stop. */
  readonly seen: string;
}

/** Something that lacks: one sentence, and what to do. */
export interface Lack {
  readonly look: Look;
  /** As `QuorateError` has it. */
  readonly code: string;
  readonly message: string;
  readonly todo: string;
}

export interface Readiness {
  /** Who the credentials say we are; null when they are none. */
  readonly who: Who | null;
  readonly found: readonly Found[];
  readonly lacks: readonly Lack[];
  /** What works, and should be known. */
  readonly notes: readonly string[];
}

/**
 * Looks at all that a bootstrap needs of Amazon before anything is started: who we are, VPC, subnets and zones, instance type,
 * image, quota, and by dry run whether we may start instances and make security groups. What acts on things that are there
 * (ending, tagging) and S3 have no dry run that says anything before they are.
 */
export async function readiness(cloud: Ec2Cloud, { controllers, constraints, toolchain }: Intent): Promise<Readiness> {
  const { amazon } = cloud;
  const found: Found[] = [];
  const lacks: Lack[] = [];
  const notes: string[] = [];
  const tried = async <T>(look: Look, ask: () => Promise<T> | T, seen: (answer: T) => string): Promise<T | null> => {
    try {
      const answer = await ask();
      const words = seen(answer);
      if (words !== '') found.push({ look, seen: words });
      return answer;
    } catch (error) {
      if (!(error instanceof QuorateError)) throw error;
      const { code, message, todo } = error;
      if (!lacks.some((lack) => lack.message === message)) lacks.push({ look, code, message, todo });
      return null;
    }
  };
  const who = await tried(
    'credentials',
    () => whoAmI(amazon),
    ({ arn }) => arn,
  );
  // Without credentials or Amazon nothing else can be seen.
  if (who === null) return { who, found, lacks, notes };

  const had = await tried(
    'programs',
    () => programsFor(cloud, toolchain),
    ({ parts }) => [...parts].map(programsText).join('; '),
  );
  const [network, type] = await Promise.all([
    tried(
      'network',
      () => cloud.network.get(),
      ({ vpc, subnets }) => `${vpc}, with a subnet in ${subnets.length === 1 ? 'one zone' : `${subnets.length} zones`}`,
    ),
    tried('instance type', () => typeFor(cloud, constraints, had), instanceTypeText),
  ]);
  const image = type && (await tried('image', () => cloud.imageFor(type.architecture), imageText));
  const zones = network && (await tried('zones', () => zonesOf(network.subnets, constraints), listed));
  if (network !== null) {
    await tried(
      'security groups',
      () => mayMakeGroups(amazon, network),
      () => 'may be made',
    );
  }
  if (zones !== null) {
    if (zones.length === 1 && controllers > 1) notes.push(oneZone(zones[0] ?? ''));
    if (type !== null) {
      const without = await tried(
        'zones',
        () => zonesWithout(amazon, type, zones),
        () => '',
      );
      if (without !== null && without.length > 0) {
        notes.push(`Instance type ${type.name} is not offered in ${listed(without)}: nothing is started there.`);
      }
    }
  }
  if (network !== null && type !== null && image !== null) {
    await tried(
      'instances',
      () => mayStart(amazon, network, type, { image: image.id, profile: cloud.settings.profile }),
      () => 'may be started',
    );
  }
  if (type !== null) {
    const quota = await tried(
      'quota',
      () => quotaSuffices(amazon, type, controllers),
      (vcpus) => (vcpus === null ? '' : `${vcpus.used} of ${vcpus.limit} vCPUs are used`),
    );
    if (quota === null && !lacks.some(({ look }) => look === 'quota')) notes.push(NO_QUOTA);
  }
  return { who, found: inOrder(found), lacks: inOrder(lacks), notes };
}

/** Refuses with all that lacks at once, a line each. */
export function refuseUnready({ who, lacks }: Pick<Readiness, 'who' | 'lacks'>): void {
  if (lacks.length === 0) return;
  const as = who === null ? '' : ` as ${who.arn}`;
  const lines = lacks.map(({ message, todo }) => `  - ${message}${todo === '' ? '' : ` ${todo}`}`);
  throw new QuorateError(
    'ec2-not-ready',
    `what was asked for cannot be had on EC2${as} yet; nothing was started:\n${lines.join('\n')}`,
    { exit: 2 },
  );
}

/** What instances run, for each architecture that is offered and can be had. Throws `no-source` where none can. */
async function programsFor(cloud: Ec2Cloud, toolchain: string): Promise<Bootable> {
  const architectures = new Set((await cloud.types()).map(({ architecture }) => architecture));
  const had = await bootable([...architectures], cloud.settings, { toolchain });
  const [refusal] = had.refusals.values();
  if (had.parts.size === 0 && refusal !== undefined) throw refusal;
  return had;
}

const programsText = ([architecture, parts]: readonly [string, Parts]) =>
  `${architecture}: ${Object.values<Had>(parts)
    .map(({ told }) => told)
    .join(', ')}`;

const NO_QUOTA = 'Amazon does not say how many instances the account may have: that is seen when they are started.';

const oneZone = (zone: string) => `Only zone ${zone} is used: the loss of that zone takes all controllers.`;

const listed = (words: readonly string[]) => words.join(', ');

const imageText = ({ id, name }: { readonly id: string; readonly name: string }) =>
  name === id ? id : `${id} (${name})`;

/** The zones that the constraints allow. Throws `unmet-constraints`. */
const zonesOf = (subnets: readonly { readonly zone: string }[], { zones }: Constraints) =>
  place(zones === undefined ? {} : { zones }, { zones: subnets.map(({ zone }) => zone), types: [] }).zones;

const inOrder = <T extends { readonly look: Look }>(seen: readonly T[]): T[] =>
  [...seen].sort((a, b) => LOOKS.indexOf(a.look) - LOOKS.indexOf(b.look));
