import type { ControllerStatus, Status } from '../api/status.js';
import { order } from '../membership/succession.js';
import { lag } from './words.js';

export const RADIUS = 31;

export interface Node {
  readonly machine: string;
  readonly x: number;
  readonly y: number;
  /** Colour, beside the words. */
  readonly look: 'primary' | 'well' | 'changing' | 'lost';
  readonly vote: boolean;
  /** Place in the order of succession, from 1; null for who is not in it. */
  readonly place: number | null;
  /** What it is, in a word, and what there is to say of it. */
  readonly role: string;
  readonly note: string;
}

export interface Line {
  readonly from: Node;
  readonly to: Node;
  /** one: only one of the two reaches the other; none: neither; unknown: nobody could say. */
  readonly reach: 'both' | 'one' | 'none' | 'unknown';
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly Node[];
  readonly lines: readonly Line[];
}

/** The controllers on a circle, who reaches whom, and in which order they would stand up. Pure. */
export function pictureOf({ controllers, ha }: Status): Picture {
  const places = placesOf(controllers, ha.primary);
  const { width, height, at } = layout(controllers.length);
  const nodes = controllers.map((controller, index): Node => {
    const [x, y] = at(index);
    const { machine, member } = controller;
    const place = member === null ? null : (places.get(member.id) ?? null);
    return { machine, x, y, vote: member?.vote ?? false, place, ...said(controller, ha.primary) };
  });
  const lines = controllers.flatMap((a, i) =>
    controllers.slice(i + 1).map((b, j): Line => {
      const reach = REACH[reached(a, b) + reached(b, a)] ?? 'unknown';
      return { from: nodes[i] as Node, to: nodes[i + 1 + j] as Node, reach };
    }),
  );
  return { width, height, nodes, lines };
}

const REACH: Readonly<Record<string, Line['reach']>> = {
  yesyes: 'both',
  yesno: 'one',
  noyes: 'one',
  nono: 'none',
  'no?': 'none',
  '?no': 'none',
  'yes?': 'unknown',
  '?yes': 'unknown',
};

/** Whether an agent says that it reaches the other's API; one that is silent says nothing. */
function reached(from: ControllerStatus, to: ControllerStatus): 'yes' | 'no' | '?' {
  if (from.agent !== 'started') return '?';
  return from.sees.includes(to.machine) ? 'yes' : 'no';
}

function placesOf(controllers: readonly ControllerStatus[], primary: string | null): ReadonlyMap<number, number> {
  const members = controllers.flatMap(({ member, zone }) =>
    member === null ? [] : [{ id: member.id, votes: member.vote ? 1 : 0, priority: member.vote ? 1 : 0, zone }],
  );
  const now = controllers.find(({ machine }) => machine === primary)?.member?.id ?? null;
  // Who does not answer is not waited for.
  const heirs = order({ primary: now, members }).filter((id) =>
    controllers.some(({ member }) => member?.id === id && member.healthy),
  );
  return new Map(heirs.map((id, index) => [id, index + 1]));
}

function said(controller: ControllerStatus, primary: string | null): Pick<Node, 'look' | 'role' | 'note'> {
  const { machine, agent, member, silentSeconds, life, maintenance } = controller;
  const role = machine === primary ? 'primary' : (member?.state.toLowerCase() ?? 'no member');
  if (agent === 'down') return { look: 'lost', role, note: `silent ${Math.round(silentSeconds)} s` };
  if (agent === 'stopped') return { look: 'lost', role, note: 'left in order' };
  if (member !== null && !member.healthy) return { look: 'lost', role, note: 'member is down' };
  if (maintenance !== null) return { look: 'changing', role, note: 'maintenance' };
  if (life !== 'alive') return { look: 'changing', role, note: 'leaving' };
  if (agent === 'pending') return { look: 'changing', role, note: 'starting' };
  if (machine === primary) return { look: 'primary', role, note: '' };
  if (member?.state !== 'SECONDARY') return { look: 'changing', role, note: '' };
  return { look: 'well', role, note: member.lagSeconds === null ? '' : `lag ${lag(member.lagSeconds)}` };
}

/** Below a circle there are two lines of text. */
const TEXT = 38;

function layout(count: number): {
  width: number;
  height: number;
  at: (index: number) => [x: number, y: number];
} {
  const width = count > 3 ? 360 : 300;
  const middle = width / 2;
  const top = RADIUS + 12;
  if (count <= 2) {
    const aside = count === 2 ? 85 : 0;
    const at = (index: number): [number, number] => [middle + (index === 0 ? -aside : aside), top];
    return { width, height: top + RADIUS + TEXT + 8, at };
  }
  // Of seven, those above each other leave room for what is written between them.
  const [across, down] = count === 3 ? [105, 94] : [132, count > 5 ? 132 : 118];
  const at = (index: number): [number, number] => {
    const angle = (index / count) * 2 * Math.PI;
    return [middle + across * Math.sin(angle), top + down - down * Math.cos(angle)];
  };
  const lowest = Math.max(...Array.from({ length: count }, (_, index) => at(index)[1]));
  return { width, height: lowest + RADIUS + TEXT + 8, at };
}
