import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { QuorateError, reasonOf } from '../../../errors.js';
import { packageVersion } from '../../../package.js';
import type { Archive as MakersArchive } from '../../../toolchain/official.js';
import type { Architecture } from '../image-names.js';
import type { Ec2Settings } from '../settings.js';
import { SOURCE_VARIABLES, sourceForm } from './named-sources.js';
import { PARTS, type Part, type Source } from './sources.js';

/** What is made or fetched here, to be put into the environment's bucket. */
export interface Made {
  readonly version: string;
  /** A .tar.gz with one folder at its top. */
  readonly bytes: () => Promise<Buffer>;
}

/** How a part is had for an architecture: it lies somewhere already, or it is to be put into the bucket. */
export type Had = ({ readonly source: Source } | { readonly made: Made }) & {
  /** For people: `Node 20.20.0 of this machine`. */
  readonly told: string;
};
export type Parts = Readonly<Record<Part, Had>>;

export interface PartsOptions {
  /** Of downloaded servers. */
  readonly toolchain: string;
  readonly onProgress?: (sentence: string) => void;
}

/** As Node calls them, and the makers of what runs. */
const ARCH: Readonly<Record<Architecture, string>> = { x86_64: 'x64', arm64: 'arm64' };
/** As MongoDB's makers know the systems of the images; one by its ID may be any. */
const SYSTEMS: Readonly<Record<string, object>> = {
  'debian-12': { os: 'linux', dist: 'debian', release: '12' },
  'ubuntu-24.04': { os: 'linux', dist: 'ubuntu', release: '24.04' },
  al2023: { os: 'linux', dist: 'amzn', release: '2023' },
};

/**
 * Where instances of an architecture get each part: what a person named, else the makers' archive, else what runs here, if
 * here is a system of theirs. Fetches nothing but the makers' sums.
 * @throws QuorateError `no-source`, with the setting that names another one
 */
export async function partsFor(
  architecture: Architecture,
  settings: Pick<Ec2Settings, 'named' | 'profile' | 'image'>,
  options: PartsOptions,
): Promise<Parts> {
  const had: [Part, Had][] = [];
  for (const part of PARTS) had.push([part, await partFor(part, architecture, settings, options)]);
  return Object.fromEntries(had) as Record<Part, Had>;
}

async function partFor(
  part: Part,
  architecture: Architecture,
  { named, profile, image }: Pick<Ec2Settings, 'named' | 'profile' | 'image'>,
  options: PartsOptions,
): Promise<Had> {
  const source = named[part]?.[architecture];
  if (source !== undefined) return { source, told: `${TITLES[part]} as ${SOURCE_VARIABLES[part]} says` };
  const tried: string[] = [];
  if (part !== 'agent') {
    try {
      return await atItsMakers(await makersArchive(part, architecture, image), profile !== '', options);
    } catch (error) {
      tried.push(`that of its makers: ${reasonOf(error)}`);
    }
  }
  if (profile === '') {
    tried.push('without an instance profile nothing in the bucket can be read from an instance');
  } else if (part === 'agent') {
    return { made: packed(architecture), told: `Quorate ${packageVersion()}` };
  } else {
    try {
      return await ofThisMachine(part, architecture, options);
    } catch (error) {
      tried.push(reasonOf(error));
    }
  }
  throw new QuorateError(
    'no-source',
    `There is no ${part === 'agent' ? 'archive of Quorate’s package' : part} for instances that are ${architecture}: ${tried.join('; ')}.`,
    {
      todo: `Name one: ${sourceForm(part)}${profile === '' ? '; or give instances a role: QUORATE_EC2_INSTANCE_PROFILE' : ', or instance types of another architecture: QUORATE_EC2_TYPES'}.`,
    },
  );
}

const TITLES: Readonly<Record<Part, string>> = { node: 'Node', mongod: 'mongod', agent: 'Quorate' };

async function makersArchive(
  part: 'node' | 'mongod',
  architecture: Architecture,
  image: string,
): Promise<MakersArchive> {
  // Loaded where an environment is bootstrapped, not by every worker that opens the cloud.
  const { mongodArchive, nodeArchive } = await import('../../../toolchain/official.js');
  if (part === 'node') return nodeArchive(process.version, ARCH[architecture]);
  const system = SYSTEMS[image];
  if (system === undefined) throw new Error(`nobody knows which system ${image} is`);
  return await mongodArchive(system, ARCH[architecture]);
}

/** Instances with a role get a copy in the bucket, so that they need no way to the makers; others get it there. */
async function atItsMakers(
  archive: MakersArchive,
  bucket: boolean,
  { toolchain, onProgress = () => {} }: PartsOptions,
): Promise<Had> {
  const { downloadArchive, publishedSha256 } = await import('../../../toolchain/official.js');
  const sha256 = await publishedSha256(archive, toolchain);
  if (sha256 === null) throw new Error('its makers publish no SHA-256 of it');
  if (!bucket) return { source: { url: archive.url, sha256, access: 'open' }, told: archive.title };
  const version = /\d+\.\d+\.\d+/.exec(archive.title)?.[0] ?? '';
  const bytes = async () => {
    const staging = await mkdtemp(path.join(toolchain, '.part-'));
    try {
      const file = path.join(staging, 'archive');
      await downloadArchive(archive, file, { cacheDir: toolchain, onProgress });
      return await readFile(file);
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  };
  return { made: { version, bytes }, told: archive.title };
}

async function ofThisMachine(
  part: 'node' | 'mongod',
  architecture: Architecture,
  { toolchain, onProgress = () => {} }: PartsOptions,
): Promise<Had> {
  if (process.platform !== 'linux' || os.arch() !== ARCH[architecture]) {
    throw new Error(`what runs here is for ${process.platform} on ${os.arch()}`);
  }
  const { path: file, version } = part === 'node' ? nodeHere() : await mongodHere(toolchain, onProgress);
  return {
    made: { version, bytes: async () => await archiveOf(part, file) },
    told: `${TITLES[part]} ${version} of this machine`,
  };
}

function nodeHere() {
  const { node_shared: shared } = process.config.variables as { readonly node_shared?: boolean };
  if (shared === true) throw new Error('the Node that runs here does not run without its system’s libraries');
  return { path: process.execPath, version: process.versions.node };
}

async function mongodHere(cacheDir: string, onProgress: (line: string) => void) {
  const { findServer } = await import('../../../toolchain/find.js');
  return await findServer('mongod', { cacheDir, onProgress });
}

async function archiveOf(part: 'node' | 'mongod', file: string): Promise<Buffer> {
  const { tarOf } = await import('../../../pack/tar.js');
  const contents = await readFile(file);
  const packed = await tarOf([{ name: `${part}/bin/${part}`, contents, executable: true }]);
  // A tenth larger than with more effort, which takes some times as long.
  return await promisify(gzip)(packed, { level: 1 });
}

function packed(architecture: Architecture): Made {
  const bytes = async () => {
    const { packAgent } = await import('../../../pack/agent-archive.js');
    return (await packAgent(architecture)).bytes;
  };
  return { version: packageVersion(), bytes };
}

export const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
