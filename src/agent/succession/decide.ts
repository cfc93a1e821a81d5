/**
 * What to do about the primary, decided from what happened and when: a state machine without I/O and without a clock.
 *
 * A primary is *dead* when the watched connection was closed and a new one is refused, and *silent* when it has not answered for
 * `suspectAfterMs` and another member has not heard it either. Then the members stand up in the order of succession. A
 * secondary that hangs on a silent member is freed. Everything here is MongoDB's ordinary election: voters decide.
 */
import { compareOpTimes } from '../../membership/facts.js';
import type { MemberId, OpTime } from '../../membership/types.js';
import { before, nearEnough, type View } from './view.js';

export interface Limits {
  readonly suspectAfterMs: number;
}

/**
 * For each that stands before this one in the order and could win: an election takes up to this long on a busy machine, and a
 * second candidate would undo the first one's.
 */
export const TURN_MS = 200;
/** Until one that cannot stand up at the moment looks again whether it can. */
const UNABLE_MS = 25;
/** Between two attempts of one; those further back wait longer, so that two do not block each other for ever. */
export const RETRY_MS = 10;
const RETRY_PER_RANK_MS = 15;
/** A newer term without a primary: somebody is being elected, who is given this time. */
const ELECTION_MS = 300;
/** After this time MongoDB's own election is left to it. */
const GIVE_UP_MS = 10_000;
/** Two that found the old primary alive within the first time switch succession off for the second. */
const MISTAKES_WITHIN_MS = 30_000;
export const OFF_MS = 300_000;
/** A silent primary that answers within this time of its succession was alive. */
const ALIVE_WITHIN_MS = 2000;
/** Between two questions to the other members. */
const ASK_EVERY_MS = 50;
/** A view older than this is renewed before anybody stands up for another time, or later than the first in the order. */
const FRESH_MS = 15;
/** Nothing applied for this time, although the primary has more, is standing still. */
const STILL_MS = 100;
/** A secondary is left to follow another secondary this long: a planned hand-over needs it meanwhile. */
const STRAY_MS = 4000;
/** A secondary that has applied something within this time has something to follow. */
const BUSY_MS = 1000;
/** A tick that comes later than this (ms after the last) says that this process itself did not run. */
const TICK_LATE_MS = 150;

export type Cause = 'dead' | 'silent';

export type Event =
  /** How this machine's mongod sees the set; null when it cannot be asked. */
  | { readonly kind: 'view'; readonly view: View | null }
  /** A watched member answered, with its optime. */
  | { readonly kind: 'answered'; readonly of: MemberId; readonly optime: OpTime | null }
  /** The connection to a watched member was closed, and a new one is refused. */
  | { readonly kind: 'refused'; readonly of: MemberId }
  /** Another member has not heard the primary either. */
  | { readonly kind: 'confirmed'; readonly of: MemberId }
  | { readonly kind: 'stood-up'; readonly outcome: 'primary' | 'refused' | 'failed' }
  /** One that stands before this one in the order, with its optime; null when it does not answer. */
  | { readonly kind: 'before'; readonly of: MemberId; readonly optime: OpTime | null }
  /** The source of replication was asked directly. */
  | { readonly kind: 'source'; readonly of: MemberId; readonly silent: boolean }
  /** Its connections to a silent member were closed, for as long as it tried: should it hang there again, once more. */
  | { readonly kind: 'closed'; readonly from: MemberId }
  | { readonly kind: 'tick' };

export type Action =
  /** Watch exactly these. */
  | { readonly kind: 'watch'; readonly members: readonly MemberId[] }
  | { readonly kind: 'ask-others'; readonly about: MemberId }
  | { readonly kind: 'ask-source'; readonly source: MemberId }
  | { readonly kind: 'ask-before'; readonly members: readonly MemberId[] }
  | { readonly kind: 'look' }
  | { readonly kind: 'stand-up'; readonly cause: Cause; readonly after: MemberId }
  /** `turn`: how many other secondaries may have to be freed before this one. */
  | { readonly kind: 'free'; readonly from: MemberId; readonly turn: number }
  | { readonly kind: 'follow-primary'; readonly primary: MemberId }
  | { readonly kind: 'tell'; readonly text: string };

interface Suspicion {
  readonly cause: Cause;
  readonly primary: MemberId;
  readonly term: number;
  readonly since: number;
  readonly attempts: number;
  /** Those before this one in the order that can still win. */
  readonly before: readonly MemberId[];
  /** When to stand up (next); null while an attempt is under way. */
  readonly at: number | null;
  readonly newTermSince: number | null;
}

export interface State {
  readonly view: View | null;
  readonly viewedAt: number;
  /** The primary, as long as it is another member; the last one while there is none. */
  readonly watched: MemberId | null;
  readonly answeredAt: number;
  readonly askedAt: number;
  /** The watched primary's optime, as it told itself. */
  readonly primaryOptime: OpTime | null;
  readonly suspicion: Suspicion | null;
  /** The last succession of a silent primary, until it is known whether that was alive. */
  readonly judged: { readonly primary: MemberId; readonly at: number } | null;
  readonly mistakes: readonly number[];
  readonly offUntil: number;
  /** Members that are known to be silent, and which of them this one has been freed from. */
  readonly silent: readonly MemberId[];
  readonly freed: readonly MemberId[];
  readonly movedAt: number;
  readonly strayedAt: number | null;
  readonly tickedAt: number;
  readonly successions: number;
  readonly suspicions: number;
}

export function initial(now: number): State {
  return {
    view: null,
    viewedAt: now,
    watched: null,
    answeredAt: now,
    askedAt: now,
    primaryOptime: null,
    suspicion: null,
    judged: null,
    mistakes: [],
    offUntil: 0,
    silent: [],
    freed: [],
    movedAt: now,
    strayedAt: null,
    tickedAt: now,
    successions: 0,
    suspicions: 0,
  };
}

export interface Decision {
  readonly state: State;
  readonly actions: readonly Action[];
}

/** The next state and what is to be done now. */
export function decide(state: State, event: Event, now: number, limits: Limits): Decision {
  const heard = take(state, event, now, limits);
  const acted = act(heard.state, now, limits);
  const [before, after] = [watchList(state), watchList(acted.state)];
  const same = before.length === after.length && before.every((id) => after.includes(id));
  const watch: Action[] = same ? [] : [{ kind: 'watch', members: after }];
  return { state: acted.state, actions: [...watch, ...heard.actions, ...acted.actions] };
}

/** When something is due by itself, beside the ticks; null when nothing is. */
export function dueAt(state: State): number | null {
  return state.suspicion?.at ?? null;
}

/** The primary, and whoever is silent until it answers again. */
function watchList(state: State): readonly MemberId[] {
  return state.watched === null ? state.silent : including(state.silent, state.watched);
}

/** What the event says. */
function take(state: State, event: Event, now: number, limits: Limits): Decision {
  switch (event.kind) {
    case 'view':
      return takeView(state, event.view, now);
    case 'answered':
      return takeAnswer(state, event.of, event.optime, now);
    case 'refused':
      return takeRefusal(state, event.of, now);
    case 'confirmed': {
      const silence = now - state.answeredAt;
      if (event.of !== state.watched || silence < limits.suspectAfterMs) return { state, actions: [] };
      return suspect({ ...state, silent: including(state.silent, event.of) }, 'silent', event.of, now);
    }
    case 'stood-up':
      return takeOutcome(state, event.outcome, now);
    case 'before':
      return takeBefore(state, event.of, event.optime, now);
    case 'source':
      return { state: event.silent ? { ...state, silent: including(state.silent, event.of) } : state, actions: [] };
    case 'closed':
      return { state: { ...state, freed: state.freed.filter((id) => id !== event.from) }, actions: [] };
    case 'tick': {
      // While this process did not run it could not hear anybody: that time does not count as silence.
      const late = now - state.tickedAt;
      const lost = late > TICK_LATE_MS ? late : 0;
      const answeredAt = Math.min(now, state.answeredAt + lost);
      return { state: { ...state, tickedAt: now, answeredAt }, actions: [] };
    }
  }
}

function takeView(state: State, view: View | null, now: number): Decision {
  if (view === null) return { state: { ...state, view, suspicion: null }, actions: [] };
  const moved = state.view === null || compareOpTimes(view.optime, state.view.optime) !== 0;
  const silent = state.silent.filter((id) => id !== view.self && view.members.some((m) => m.id === id));
  const next: State = { ...state, view, viewedAt: now, silent, movedAt: moved ? now : state.movedAt };
  const suspicion = withNews(next.suspicion, view, now);
  const watched = view.primary === view.self ? null : (view.primary ?? state.watched);
  if (watched === state.watched) return { state: { ...next, suspicion }, actions: [] };
  return { state: { ...next, suspicion, watched, answeredAt: now, primaryOptime: null }, actions: [] };
}

/** A suspicion ends with another primary, and is more patient once there is a newer term. */
function withNews(suspicion: Suspicion | null, view: View, now: number): Suspicion | null {
  if (suspicion === null || (view.primary !== null && view.primary !== suspicion.primary)) return null;
  const news = view.term > suspicion.term && suspicion.newTermSince === null;
  return news ? { ...suspicion, newTermSince: now } : suspicion;
}

function takeAnswer(state: State, of: MemberId, optime: OpTime | null, now: number): Decision {
  let next: State = {
    ...state,
    silent: state.silent.filter((id) => id !== of),
    freed: state.freed.filter((id) => id !== of),
  };
  if (of === state.watched) next = { ...next, answeredAt: now, primaryOptime: optime };
  if (state.suspicion?.primary === of && state.suspicion.at !== null) next = { ...next, suspicion: null };
  if (state.judged?.primary === of) return judge({ ...next, judged: null }, state.judged.at, now);
  return { state: next, actions: [] };
}

/** The old primary of a succession has answered. */
function judge(state: State, succeededAt: number, now: number): Decision {
  if (now - succeededAt >= ALIVE_WITHIN_MS) return { state, actions: [] };
  const mistakes = [...state.mistakes.filter((at) => now - at < MISTAKES_WITHIN_MS), now];
  const off = mistakes.length >= 2;
  const text = off
    ? 'The old primary was alive, twice within half a minute: succession is off for 5 minutes.'
    : 'The old primary was alive after all.';
  const offUntil = off ? now + OFF_MS : state.offUntil;
  return { state: { ...state, mistakes, offUntil }, actions: [{ kind: 'tell', text }] };
}

function takeRefusal(state: State, of: MemberId, now: number): Decision {
  const { view } = state;
  if (of !== state.watched || view === null) return { state, actions: [] };
  if (view.primary !== of && view.primary !== null) return { state, actions: [] };
  return suspect(state, 'dead', of, now);
}

function suspect(state: State, cause: Cause, primary: MemberId, now: number): Decision {
  if (state.suspicion !== null || state.view === null || now < state.offUntil) return { state, actions: [] };
  const earlier = before(state.view, primary) ?? [];
  const suspicion: Suspicion = {
    ...{ cause, primary, term: state.view.term, since: now, attempts: 0, before: earlier, newTermSince: null },
    at: now + earlier.length * TURN_MS,
  };
  const text = `The primary, member ${primary}, is ${cause}.`;
  const ask: Action[] = earlier.length > 0 ? [{ kind: 'ask-before', members: earlier }] : [];
  return {
    state: { ...state, suspicion, suspicions: state.suspicions + 1 },
    actions: [{ kind: 'tell', text }, { kind: 'look' }, ...ask],
  };
}

/** One that has less than this one is refused by the voters, and one that is gone asks for no vote: nobody waits for these. */
function takeBefore(state: State, of: MemberId, optime: OpTime | null, now: number): Decision {
  const { suspicion, view } = state;
  const cannotWin = optime === null || (view !== null && compareOpTimes(optime, view.optime) < 0);
  if (suspicion === null || !cannotWin || !suspicion.before.includes(of)) return { state, actions: [] };
  const left = suspicion.before.filter((id) => id !== of);
  const due = suspicion.attempts === 0 && suspicion.at !== null;
  const at = due ? Math.max(now, suspicion.since + left.length * TURN_MS) : suspicion.at;
  return { state: { ...state, suspicion: { ...suspicion, before: left, at } }, actions: [] };
}

function takeOutcome(state: State, outcome: 'primary' | 'refused' | 'failed', now: number): Decision {
  const { suspicion, view } = state;
  if (outcome === 'primary') {
    const judged = suspicion?.cause === 'silent' ? { primary: suspicion.primary, at: now } : null;
    // What was seen before does not count any more: nothing is decided until it has been looked again.
    const risen = { view: null, suspicion: null, watched: null, judged, successions: state.successions + 1 };
    return { state: { ...state, ...risen }, actions: [{ kind: 'look' }] };
  }
  if (suspicion === null || view === null) return { state, actions: [] };
  if (outcome === 'failed') return { state: { ...state, suspicion: null }, actions: [{ kind: 'look' }] };
  const rank = before(view, suspicion.primary)?.length ?? 0;
  const at = now + RETRY_MS + rank * RETRY_PER_RANK_MS;
  return { state: { ...state, suspicion: { ...suspicion, at } }, actions: [{ kind: 'look' }] };
}

/** What is due now. */
function act(state: State, now: number, limits: Limits): Decision {
  const { view } = state;
  if (view === null) return { state, actions: [] };
  const steps = [standUp, askOthers, free, stray];
  const actions: Action[] = [];
  let next = state;
  for (const step of steps) {
    const decision = step(next, view, now, limits);
    next = decision.state;
    actions.push(...decision.actions);
  }
  return { state: next, actions };
}

/** Begins at half the time, so that the connections are there and the first answer counts when the time is over. */
function askOthers(state: State, view: View, now: number, { suspectAfterMs }: Limits): Decision {
  const { watched } = state;
  const due = now - state.answeredAt >= suspectAfterMs / 2 && now - state.askedAt >= ASK_EVERY_MS;
  if (!due || watched === null || state.suspicion !== null || view.primary !== watched) return { state, actions: [] };
  return { state: { ...state, askedAt: now }, actions: [{ kind: 'ask-others', about: watched }] };
}

function standUp(state: State, view: View, now: number): Decision {
  const { suspicion } = state;
  if (suspicion === null || suspicion.at === null || now < suspicion.at) return { state, actions: [] };
  const { primary, cause, newTermSince, attempts } = suspicion;
  if (now - suspicion.since > GIVE_UP_MS) {
    return {
      state: { ...state, suspicion: null },
      actions: [{ kind: 'tell', text: 'Nobody could stand up in 10 s.' }],
    };
  }
  const rank = before(view, primary)?.length ?? null;
  const first = rank === 0 && attempts === 0;
  if (!first && now - state.viewedAt > FRESH_MS) return { state, actions: [{ kind: 'look' }] };
  const able = rank !== null && view.state === 'SECONDARY' && nearEnough(view);
  // The first in the order may have raised the term itself; for the others it means that somebody is being elected.
  const wait = rank !== 0 && newTermSince !== null && now < newTermSince + ELECTION_MS;
  if (!able || wait) return { state: { ...state, suspicion: { ...suspicion, at: now + UNABLE_MS } }, actions: [] };
  return {
    state: { ...state, suspicion: { ...suspicion, at: null, attempts: attempts + 1 } },
    actions: [{ kind: 'stand-up', cause, after: primary }],
  };
}

/** A secondary that stands still on a silent source while the primary goes on. */
function free(state: State, view: View, now: number, { suspectAfterMs }: Limits): Decision {
  const source = view.syncSource;
  const { watched, primaryOptime } = state;
  const hangs =
    view.state === 'SECONDARY' &&
    source !== null &&
    watched !== null &&
    view.primary === watched &&
    source !== watched &&
    primaryOptime !== null &&
    compareOpTimes(primaryOptime, view.optime) > 0 &&
    now - state.movedAt >= STILL_MS;
  if (!hangs || state.freed.includes(source)) return { state, actions: [] };
  if (state.silent.includes(source)) {
    const others = view.members.filter((m) => m.votes > 0 && m.id !== watched && m.id !== source && m.id < view.self);
    return {
      state: { ...state, freed: including(state.freed, source) },
      actions: [{ kind: 'free', from: source, turn: others.length }],
    };
  }
  if (now - state.movedAt < suspectAfterMs || now - state.askedAt < ASK_EVERY_MS) return { state, actions: [] };
  return { state: { ...state, askedAt: now }, actions: [{ kind: 'ask-source', source }] };
}

/** A secondary that others follow is part of every majority, and its freezing would stop all writes: nobody is left there. */
function stray(state: State, view: View, now: number): Decision {
  const { syncSource, primary } = view;
  const busy = now - state.movedAt < BUSY_MS;
  const strays = view.state === 'SECONDARY' && primary !== null && syncSource !== null && syncSource !== primary;
  if (!strays || !busy || !view.members.every((m) => m.well))
    return { state: { ...state, strayedAt: null }, actions: [] };
  if (state.strayedAt === null) return { state: { ...state, strayedAt: now }, actions: [] };
  if (now - state.strayedAt < STRAY_MS) return { state, actions: [] };
  return { state: { ...state, strayedAt: null }, actions: [{ kind: 'follow-primary', primary }] };
}

function including(ids: readonly MemberId[], id: MemberId): readonly MemberId[] {
  return ids.includes(id) ? ids : [...ids, id];
}
