import { type Judged, well, wrong } from './finding.js';

export interface VersionsSeen {
  /** Of the package that this command comes from. */
  readonly own: string;
  readonly agents: readonly { readonly machine: string; readonly version: string }[];
  readonly mongods: readonly { readonly machine: string; readonly version: string }[];
}

/** Whether all run the same. Pure. */
export function judgeVersions({ own, agents, mongods }: VersionsSeen): readonly Judged[] {
  const known = agents.filter(({ version }) => version !== '');
  const others = known.filter(({ version }) => version !== own);
  const judged: Judged[] = [];
  if (others.length > 0) {
    judged.push(
      wrong(
        `${grouped(others)}; this command is ${own}`,
        'A machine runs the installed version from its next start on: stop and start them one at a time, controllers last.',
      ),
    );
  }
  if (new Set(mongods.map(({ version }) => version)).size > 1) {
    judged.push(
      wrong(
        `mongod differs: ${grouped(mongods)}`,
        'MongoDB runs so while it is upgraded, not for good: bring all to one version.',
      ),
    );
  }
  if (judged.length > 0) return judged;
  const mongod = mongods[0] ? `, mongod ${mongods[0].version}` : '';
  return [well(`${own} on all of ${known.length} machines${mongod}`)];
}

/** "1.0 on machines 1, 2; 1.1 on machine 3". */
function grouped(seen: readonly { readonly machine: string; readonly version: string }[]): string {
  const versions = [...new Set(seen.map(({ version }) => version))];
  return versions
    .map((version) => {
      const machines = seen.filter((one) => one.version === version).map(({ machine }) => machine);
      return `${version} on ${machines.length === 1 ? 'machine' : 'machines'} ${machines.join(', ')}`;
    })
    .join('; ');
}
