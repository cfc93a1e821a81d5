import { type Static, Type } from '@sinclair/typebox';

/** Seen from the instance: what reaches it, what leaves it, or both. */
export const Direction = Type.Union([Type.Literal('both'), Type.Literal('in'), Type.Literal('out')]);
export type Direction = Static<typeof Direction>;

/** Everybody, the operator's machine included. */
export const EVERYBODY = '*';
/** The operator's machine. */
export const HOST = 'host';

/** What the control panel has done to an instance, as wished: it holds from boot to boot until it is healed. */
export const Conditions = Type.Object({
  /** Whose packets are dropped: an instance's ID, HOST or EVERYBODY. */
  cuts: Type.Array(Type.Object({ from: Type.String(), direction: Direction })),
  /** Each way. */
  delayMs: Type.Number({ minimum: 0 }),
  /** Of the packets each way. */
  lossPercent: Type.Number({ minimum: 0, maximum: 100 }),
  /** How far its clock is off from its next start on. */
  clockOffsetMs: Type.Integer(),
  /** Its disk's size from its next start on; null: the host's. */
  diskBytes: Type.Union([Type.Null(), Type.Integer({ minimum: 1 })]),
  /** Something of ours takes all the space that was left. */
  diskFull: Type.Boolean(),
});
export type Conditions = Static<typeof Conditions>;

export const NO_CONDITIONS: Conditions = {
  cuts: [],
  delayMs: 0,
  lossPercent: 0,
  clockOffsetMs: 0,
  diskBytes: null,
  diskFull: false,
};

/** With more links cut; one that was cut the one way and is now cut the other is cut both ways. */
export function cut(conditions: Conditions, from: readonly string[], direction: Direction): Conditions {
  const cuts = from.reduce((all, peer) => {
    const known = all.find((each) => each.from === peer);
    const both = known !== undefined && known.direction !== direction;
    return [...all.filter((each) => each !== known), { from: peer, direction: both ? ('both' as const) : direction }];
  }, conditions.cuts);
  return { ...conditions, cuts };
}

/** Its link as new. */
export function linkHealed(conditions: Conditions): Conditions {
  return { ...conditions, cuts: [], delayMs: 0, lossPercent: 0 };
}

/** Without the cuts that name another instance. */
export function healedFrom(conditions: Conditions, peer: string): Conditions {
  return { ...conditions, cuts: conditions.cuts.filter(({ from }) => from !== peer) };
}

/** For people; empty when all is as it should be. `nameOf` says what an instance's ID is called. */
export function inWords(conditions: Conditions, nameOf: (id: string) => string): string[] {
  const { cuts, delayMs, lossPercent, clockOffsetMs, diskBytes, diskFull } = conditions;
  const ways = { both: 'cut off from', in: 'hears nothing from', out: 'not heard by' } as const;
  const links = (['both', 'in', 'out'] as const).flatMap((direction) => {
    const peers = cuts.filter((each) => each.direction === direction).map(({ from }) => called(from, nameOf));
    return peers.length > 0 ? [`${ways[direction]} ${peers.join(', ')}`] : [];
  });
  return [
    ...links,
    ...(delayMs > 0 ? [`delay ${delayMs} ms`] : []),
    ...(lossPercent > 0 ? [`loss ${lossPercent} %`] : []),
    ...(clockOffsetMs !== 0 ? [`clock ${clockOffsetMs > 0 ? '+' : ''}${clockOffsetMs / 1000} s`] : []),
    ...(diskBytes !== null ? [`disk ${Math.round(diskBytes / 2 ** 20)} MiB`] : []),
    ...(diskFull ? ['disk full'] : []),
  ];
}

function called(peer: string, nameOf: (id: string) => string): string {
  if (peer === EVERYBODY) return 'everybody';
  return peer === HOST ? 'the host' : nameOf(peer);
}
