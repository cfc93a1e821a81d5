/** What WebSockets agree on besides their messages. Without imports: the page's script is made of it too. */

/** The protocols that a page's WebSocket offers: what is spoken, and its bearer token behind this prefix. */
export const WATCH_PROTOCOL = 'quorate.watch';
export const BEARER_PROTOCOL = 'quorate.bearer.';

/** Why a controller closes a WebSocket. */
export const CLOSE = {
  /** It is leaving: another one takes over. */
  leaving: 1012,
  /** The message was not one of ours. */
  badMessage: 1008,
  /** The machine is gone. */
  gone: 4404,
  /** It did not read what it was sent. */
  slow: 4408,
  /** What it asked for is not kept any more. */
  tooOld: 4410,
  /** It cannot be served at the moment; dial again. */
  again: 1013,
} as const;
