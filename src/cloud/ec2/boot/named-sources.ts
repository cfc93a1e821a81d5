import { usageError } from '../../../errors.js';
import type { Architecture } from '../image-names.js';
import { checkSource, PARTS, type Part, type Source } from './sources.js';

/** Sources that a person named, each for an architecture or, as packages are, for all. */
export type NamedSources = Readonly<Partial<Record<Part, Readonly<Partial<Record<Architecture, Source>>>>>>;

/** What each is called in the environment's variables. */
export const SOURCE_VARIABLES: Readonly<Record<Part, string>> = {
  node: 'QUORATE_EC2_NODE',
  mongod: 'QUORATE_EC2_MONGOD',
  agent: 'QUORATE_EC2_AGENT',
};

const ARCHIVE = /^(x86_64|arm64)=(https?:\/\/[^#]+)#([0-9a-f]{64})$/;
const PACKAGE = /^system:(.+)$/;

/** How a source is written, for people. */
export const sourceForm = (part: Part): string =>
  `${SOURCE_VARIABLES[part]}='x86_64=URL#SHA256'${part === 'agent' ? '' : ' (an archive that everybody may read), or system:PACKAGE'}`;

/** Sources that the environment's variables name. Refuses, in words, what cannot be meant. Pure. */
export function namedSources(env: NodeJS.ProcessEnv): NamedSources {
  const said = PARTS.map((part) => [part, sourcesIn(part, env[SOURCE_VARIABLES[part]]?.trim() ?? '')] as const);
  return Object.fromEntries(said.filter(([, sources]) => Object.keys(sources).length > 0));
}

function sourcesIn(part: Part, text: string): Partial<Record<Architecture, Source>> {
  const sources: Partial<Record<Architecture, Source>> = {};
  for (const word of text.split(/[\s,]+/).filter((each) => each !== '')) {
    const [, architecture, url = '', sha256 = ''] = ARCHIVE.exec(word) ?? [];
    const [, system] = PACKAGE.exec(word) ?? [];
    if (architecture !== undefined) {
      sources[architecture as Architecture] = checkSource({ url, sha256, access: 'open' }, part);
    } else if (system !== undefined && part !== 'agent') {
      const source = checkSource({ system }, part);
      Object.assign(sources, { x86_64: source, arm64: source });
    } else {
      throw usageError('bad-source', `${SOURCE_VARIABLES[part]} names '${word}'.`, `Say ${sourceForm(part)}.`);
    }
  }
  return sources;
}
