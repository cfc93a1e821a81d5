import type { Change } from '../api/changes.js';
import type { Status } from '../api/status.js';
import { noticed } from './noticed.js';

/** How the page stands with the controllers. */
export type Link =
  | { readonly state: 'searching'; readonly since: number; readonly tried: readonly string[]; readonly reason: string }
  | { readonly state: 'live'; readonly machine: string; readonly address: string; readonly since: number }
  | { readonly state: 'refused'; readonly message: string };

/** What this page itself has seen since it was opened; times by its own clock, milliseconds since 1970. */
export interface Sighting {
  readonly at: number;
  readonly text: string;
  /** Something was lost, or came back. */
  readonly bad: boolean;
}

/** A controller that was lost under this page. */
export interface Loss {
  readonly at: number;
  readonly machine: string;
  readonly reason: string;
  /** Who took over, and how long this page had waited then; null while nobody has. */
  readonly next: { readonly machine: string; readonly waitedMs: number } | null;
}

export interface Model {
  readonly link: Link;
  readonly status: Status | null;
  /** When the status was read. */
  readonly statusAt: number;
  /** The latest first. */
  readonly changes: readonly Change[];
  readonly loss: Loss | null;
  /** The latest first. */
  readonly sightings: readonly Sighting[];
  /** What is to be added to this machine's clock to have that of the controller. */
  readonly clockOffsetMs: number;
}

/** What happens to the page. */
export type Happening = { readonly at: number } & (
  | { readonly kind: 'searching'; readonly tried: readonly string[]; readonly reason: string }
  | { readonly kind: 'connected'; readonly machine: string; readonly address: string; readonly clockOffsetMs: number }
  | { readonly kind: 'lost'; readonly machine: string; readonly reason: string }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'status'; readonly status: Status }
  | { readonly kind: 'changes'; readonly changes: readonly Change[] }
  | { readonly kind: 'change'; readonly change: Change }
);

const SIGHTINGS = 30;
const CHANGES = 30;

export function begin(at: number): Model {
  return {
    link: { state: 'searching', since: at, tried: [], reason: '' },
    status: null,
    statusAt: 0,
    changes: [],
    loss: null,
    sightings: [],
    clockOffsetMs: 0,
  };
}

/** The page after something happened. Pure. */
export function advance(model: Model, happening: Happening): Model {
  const { at } = happening;
  switch (happening.kind) {
    case 'searching': {
      const since = model.link.state === 'searching' ? model.link.since : at;
      return { ...model, link: { state: 'searching', since, tried: happening.tried, reason: happening.reason } };
    }
    case 'connected': {
      const { machine, address, clockOffsetMs } = happening;
      const link = { state: 'live', machine, address, since: at } as const;
      const { loss } = model;
      if (loss === null || loss.next !== null) return { ...model, link, clockOffsetMs };
      const next = { machine, waitedMs: at - loss.at };
      const text = `This page lost controller ${loss.machine} (${loss.reason}) and went on with controller ${machine} after ${seconds(next.waitedMs)}`;
      return { ...seen(model, { at, text, bad: true }), link, clockOffsetMs, loss: { ...loss, next } };
    }
    case 'lost': {
      // One that answered a ping and nothing else was never talked to.
      if (model.link.state !== 'live') return model;
      const { machine, reason } = happening;
      return { ...model, link: begin(at).link, loss: { at, machine, reason, next: null } };
    }
    case 'refused':
      return { ...model, link: { state: 'refused', message: happening.message } };
    case 'status': {
      const { status } = happening;
      const news = model.status === null ? [] : noticed(model.status, status);
      const told = news.reduce((now, { text, bad }) => seen(now, { at, text, bad }), model);
      return { ...told, status, statusAt: at };
    }
    case 'changes':
      return { ...model, changes: happening.changes.slice(0, CHANGES) };
    case 'change': {
      const { change } = happening;
      const others = model.changes.filter(({ runId }) => runId !== change.runId);
      const all = [change, ...others].sort((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt));
      return { ...model, changes: all.slice(0, CHANGES) };
    }
  }
}

function seen(model: Model, sighting: Sighting): Model {
  return { ...model, sightings: [sighting, ...model.sightings].slice(0, SIGHTINGS) };
}

const seconds = (ms: number) => `${(Math.max(0, ms) / 1000).toFixed(ms < 10_000 ? 2 : 0)} s`;
