import type { Static, TSchema } from '@sinclair/typebox';
import type { ROUTES, RouteName } from '../api/routes.js';
import type { Pinger } from '../client/ping.js';
import type { PresenceObserver } from '../state/presence-observer.js';
import type { Request } from '../state/requests.js';
import type { State } from '../state/state.js';
import type { Claimed } from './audited.js';
import type { ControllerConfig } from './config.js';
import type { Feed } from './feed.js';
import type { Caller } from './login.js';
import type { Metrics } from './metrics/metrics.js';
import type { Reader } from './reading.js';

/** What handlers work with. */
export interface Controller {
  readonly config: ControllerConfig;
  /** The environment's key, of which names of changes are made. */
  readonly key: string;
  /** The CAs that are trusted now, PEM, the one that issues first. */
  readonly ca: string;
  readonly state: State;
  readonly reader: Reader;
  readonly observer: PresenceObserver;
  /** Asks other controllers whether they are there. */
  readonly pinger: Pinger;
  readonly metrics: Metrics;
  readonly feed: Feed;
}

/** The parts of a call, by its route's schemas. */
export interface Call<N extends RouteName> {
  readonly params: Readonly<Record<string, string>>;
  readonly query: (typeof ROUTES)[N] extends { query: infer Q extends TSchema } ? Static<Q> : undefined;
  readonly body: (typeof ROUTES)[N] extends { body: infer B extends TSchema } ? Static<B> : undefined;
  /** null where no login is needed. */
  readonly caller: Caller | null;
  /** Whose change this is and what it says; null for everything but changes. */
  readonly request: Request | null;
  /** Where the call comes from. */
  readonly address: string;
  /** Says who tries to log in, for the audit log. */
  readonly claim: (claimed: Claimed) => void;
}

export type Answer<N extends RouteName> = Static<(typeof ROUTES)[N]['answer']>;
export type Handler<N extends RouteName> = (controller: Controller, call: Call<N>) => Promise<Answer<N>>;
