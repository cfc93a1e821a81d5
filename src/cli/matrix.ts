import { type Cut, cutsOf, cutText } from '../api/cuts.js';
import type { Reach } from '../api/reach.js';
import type { Status } from '../api/status.js';
import type { Asked } from '../client/each.js';
import { columns, type Symbols } from './output.js';

/** Whether one controller reaches another. */
export type Reached = 'reaches' | 'does not reach' | 'not known' | 'itself';
/** By row, then by column. */
type Rows = Readonly<Record<string, Readonly<Record<string, Reached>>>>;

/** Who reaches whom among the controllers: what `quorate controllers --matrix --format json` prints. */
export interface Matrix {
  readonly environment: string;
  /** No majority answers. Every row was asked now all the same; only which controllers there are may be old. */
  readonly stale: boolean;
  readonly controllers: readonly string[];
  readonly api: Rows;
  readonly members: Rows;
  /** Where each row of `api` comes from: asked now, told by its agent to another controller, or nothing. */
  readonly sources: Readonly<Record<string, 'asked' | 'told' | 'none'>>;
  readonly cuts: readonly string[];
  readonly errors: readonly { readonly machine: string; readonly address: string; readonly problem: string }[];
}

/**
 * Puts together what each controller said of the others. One that could not be asked has what its agent told another
 * controller, where it did. Pure.
 */
export function matrixOf(status: Status, asked: readonly Asked<Reach>[]): Matrix {
  const controllers = status.controllers.map(({ machine }) => machine);
  const answers = new Map(asked.map(({ machine, answer }) => [machine, answer]));
  const told = new Map(
    status.controllers.map(({ machine, agent, sees }) => [machine, !status.stale && agent === 'started' ? sees : null]),
  );

  const reachesApi = (from: string, to: string): boolean | null => {
    const seen = answers.get(from)?.api.find(({ machine }) => machine === to);
    if (seen) return seen.reached;
    const sees = answers.get(from) ? null : told.get(from);
    return sees ? sees.includes(to) : null;
  };
  const reachesMember = (from: string, to: string): boolean | null =>
    answers.get(from)?.members.find(({ machine }) => machine === to)?.reached ?? null;

  // One that is down is not cut off from each of the others.
  const lost = controllers.filter(
    (to) =>
      answers.size > 1 &&
      !answers.get(to) &&
      controllers.every((from) => from === to || (!reachesApi(from, to) && !reachesMember(from, to))),
  );
  const others = controllers.filter((machine) => !lost.includes(machine));

  const rows = (reaches: typeof reachesApi): Rows =>
    Object.fromEntries(
      controllers.map((from) => [
        from,
        Object.fromEntries(
          controllers.map((to): [string, Reached] => [to, from === to ? 'itself' : word(reaches(from, to))]),
        ),
      ]),
    );
  return {
    environment: status.environment.name,
    stale: status.stale,
    controllers,
    api: rows(reachesApi),
    members: rows(reachesMember),
    sources: Object.fromEntries(
      controllers.map((machine) => [machine, answers.get(machine) ? 'asked' : told.get(machine) ? 'told' : 'none']),
    ),
    cuts: [
      ...lost.map((machine) => `No controller reaches controller ${machine}.`),
      ...sentences(cutsOf(others, reachesApi), cutsOf(others, reachesMember)),
    ],
    errors: asked.flatMap(({ machine, api: address, problem, answer }) => {
      if (problem !== '') return [{ machine, address, problem }];
      return answer?.memberProblem ? [{ machine, address, problem: `its member: ${answer.memberProblem}` }] : [];
    }),
  };
}

const word = (reached: boolean | null): Reached =>
  reached === null ? 'not known' : reached ? 'reaches' : 'does not reach';

/** A link that is cut for both is one sentence. */
function sentences(api: readonly Cut[], members: readonly Cut[]): string[] {
  const same = (a: Cut) => (b: Cut) => a.from === b.from && a.to === b.to && a.back === b.back;
  return [
    ...api.map((cut) => cutText(cut, members.some(same(cut)) ? 'API and member' : 'API')),
    ...members.filter((cut) => !api.some(same(cut))).map((cut) => cutText(cut, 'member')),
  ];
}

/** Rows reach columns; both tables beside each other fit into 80 columns with seven controllers. */
export async function matrixText(matrix: Matrix, sign: Symbols): Promise<string> {
  const { controllers, api, members, sources, cuts, errors } = matrix;
  const mark: Record<Reached, string> = {
    reaches: sign.done,
    'does not reach': sign.failed,
    'not known': '?',
    itself: sign.none,
  };
  const cells = (rows: Rows, from: string) => controllers.map((to) => mark[rows[from]?.[to] ?? 'not known']);
  const table = await columns(
    ['API', ...controllers, ' ', 'MEMBER', ...controllers],
    controllers.map((from) => [
      `${from}${sources[from] === 'told' ? '*' : ''}`,
      ...cells(api, from),
      ' ',
      from,
      ...cells(members, from),
    ]),
  );
  const stale = matrix.stale ? 'No majority answers: which controllers there are may have changed.' : '';
  const told = Object.values(sources).includes('told') ? '* not asked: what its agent told another controller' : '';
  const failed = errors.map(({ machine, address, problem }) => `  ${machine}  ${address}  ${problem}`);
  return [
    `${matrix.environment}   who reaches whom: rows reach columns (${sign.done} yes, ${sign.failed} no, ? not known)`,
    [stale, table, told].filter((line) => line !== '').join('\n'),
    failed.length > 0 ? ['Could not be asked:', ...failed].join('\n') : '',
    cuts.length > 0 ? cuts.join('\n') : '',
  ]
    .filter((block) => block !== '')
    .join('\n\n');
}
