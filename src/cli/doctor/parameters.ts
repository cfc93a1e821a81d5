import { missingParameters } from '../../replicaset/parameters.js';
import { type Judged, well, wrong } from './finding.js';

export interface MongodSeen {
  readonly machine: string;
  /** Each parameter, and `set` or why not; null when no mongod runs there. */
  readonly mongod: { readonly version: string; readonly parameters: Readonly<Record<string, string>> } | null;
}

/** What each mongod did not take, and what the lack costs. Pure. */
export function judgeParameters(seen: readonly MongodSeen[]): readonly Judged[] {
  const running = seen.flatMap(({ machine, mongod }) => (mongod ? [{ machine, ...mongod }] : []));
  const lacks = running.flatMap(({ machine, version, parameters }) =>
    missingParameters(parameters).map((lack) => ({ machine, version, ...lack })),
  );
  if (lacks.length === 0) return running.length === 0 ? [] : [well('every mongod took all settings')];
  return [...new Set(lacks.map(({ parameter }) => parameter))].map((parameter) => {
    const those = lacks.filter((lack) => lack.parameter === parameter);
    const machines = those.map(({ machine }) => machine).join(', ');
    const [first] = those;
    return wrong(
      `mongod ${first?.version} of ${those.length === 1 ? 'machine' : 'machines'} ${machines} does not take ${parameter}`,
      `It works without, and then: ${first?.cost}. Another version of mongod may take it.`,
    );
  });
}
