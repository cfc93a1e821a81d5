import { createHash } from 'node:crypto';
import { QuorateError, usageError } from '../../../errors.js';
import { ARCHITECTURES, type Architecture } from '../image-names.js';

/** What an instance is made of: Node, mongod, and our package. */
export const PARTS = ['node', 'mongod', 'agent'] as const;
export type Part = (typeof PARTS)[number];

/** An archive (.tar.gz, .tar.xz) with one folder at its top: `bin/node` in it, `bin/mongod`, or our package. */
export interface Archive {
  readonly url: string;
  /** Hex. What is fetched and has another one is not used. */
  readonly sha256: string;
  /** Whether everybody may read it, or who has the instance's role. */
  readonly access: 'open' | 'role';
}

/** A package of the image's own system, which is installed where the program is not there already. */
export interface SystemPackage {
  readonly system: string;
}

export type Source = Archive | SystemPackage;

/** Where instances get what they run. */
export interface BootSources {
  /** Of our package, as `0.1.0`. */
  readonly version: string;
  /** The region of the bucket, for which requests to it are signed. */
  readonly region: string;
  readonly node: Readonly<Partial<Record<Architecture, Source>>>;
  readonly mongod: Readonly<Partial<Record<Architecture, Source>>>;
  readonly agent: Readonly<Partial<Record<Architecture, Archive>>>;
}

/** What becomes part of a shell's line or of a path is made of these. */
const VERSION = /^[0-9A-Za-z][0-9A-Za-z.-]{0,39}$/;
const URL_WORD = /^https?:\/\/[\x21-\x7e]+$/;
const SHA256 = /^[0-9a-f]{64}$/;
const PACKAGE = /^[a-z0-9][a-z0-9+.-]*$/;

/** What of it is for these instances. Pure. */
export function architecturesOf(sources: BootSources): Architecture[] {
  return ARCHITECTURES.filter((architecture) => PARTS.every((part) => sources[part][architecture] !== undefined));
}

/** The lines that quorate-boot reads: PART ARCHITECTURE open|role SHA256 URL, or PART ARCHITECTURE system PACKAGE. Pure. */
export function sourceLines(sources: BootSources, architecture: Architecture): string[] {
  return PARTS.map((part) => `${part} ${architecture} ${wordsOf(sourceOf(sources, part, architecture), part)}`);
}

/**
 * What the folder of these very parts is called on an instance: the version, and what tells two of one version apart. Pure.
 */
export function releaseName(sources: BootSources, architecture: Architecture): string {
  if (!VERSION.test(sources.version)) throw usageError('bad-source', `'${sources.version}' is no version.`);
  const contents = PARTS.map((part) => {
    const source = sourceOf(sources, part, architecture);
    return 'system' in source ? source.system : source.sha256;
  });
  return `${sources.version}-${createHash('sha256').update(contents.join('\n')).digest('hex').slice(0, 12)}`;
}

function sourceOf(sources: BootSources, part: Part, architecture: Architecture): Source {
  const source = sources[part][architecture];
  if (source !== undefined) return source;
  throw new QuorateError('no-source', `Nobody said where instances get ${part} for ${architecture}.`, {
    todo: `Name an archive with its SHA-256, or choose instance types that are not ${architecture}.`,
  });
}

function wordsOf(source: Source, part: Part): string {
  checkSource(source, part);
  if ('system' in source) return `system ${source.system}`;
  return `${source.access} ${source.sha256} ${source.url}`;
}

/** The source itself; refuses one that could not stand in a shell's line. Pure. */
export function checkSource<S extends Source>(source: S, part: Part): S {
  if ('system' in source) {
    if (!PACKAGE.test(source.system)) throw usageError('bad-source', `'${source.system}' is no package of ${part}.`);
    return source;
  }
  const { url, sha256 } = source;
  if (!URL_WORD.test(url)) throw usageError('bad-source', `'${url}' is no address that ${part} can be fetched from.`);
  if (!SHA256.test(sha256)) throw usageError('bad-source', `'${sha256}' is no SHA-256 of ${part}.`);
  return source;
}
