import { QuorateError } from '../errors.js';
import { parseConstraints } from '../machines/constraints.js';
import type { Timings } from '../membership/types.js';

/** A setting that the environment knows: what it may be, what it is when nobody says, and what it does. */
export interface KnownSetting {
  readonly name: string;
  readonly kind: 'duration' | 'boolean' | 'constraints';
  /** By cloud where they differ; `else` for the others. */
  readonly default: string | { readonly local: string; readonly else: string };
  /** Bounds of a duration, in milliseconds. */
  readonly min?: number;
  readonly max?: number;
  readonly description: string;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** The setting that says how soon a watch is taken over. */
export const TAKEOVER = 'takeover';

export const SETTINGS: readonly KnownSetting[] = [
  {
    name: 'auto-replace',
    kind: 'boolean',
    default: 'true',
    description: 'Replace a controller that is lost, without being asked.',
  },
  {
    name: 'boot-timeout',
    kind: 'duration',
    default: '15m',
    min: 10 * SECOND,
    max: 24 * HOUR,
    description: 'How long after its start an instance may fetch its certificate.',
  },
  {
    name: 'controller-constraints',
    kind: 'constraints',
    default: '',
    description: 'What new controllers must at least be, as in cores=2 mem=4G zone=a,b.',
  },
  {
    name: 'election-timeout',
    kind: 'duration',
    default: '2s',
    min: 200,
    max: 10 * MINUTE,
    description: 'How long members wait for the primary before they elect another by themselves.',
  },
  {
    name: 'grace',
    kind: 'duration',
    default: { local: '15s', else: '60s' },
    min: 0,
    max: 24 * HOUR,
    description: 'How long a silent controller is waited for before it counts as lost.',
  },
  {
    name: 'heartbeat-interval',
    kind: 'duration',
    default: '500ms',
    min: 50,
    max: 1 * MINUTE,
    description:
      'How often members of the replica set ask for each other, at least twice within election-timeout; a change of members spreads at this pace.',
  },
  {
    name: 'leftover-grace',
    kind: 'duration',
    default: { local: '30s', else: '10m' },
    min: 0,
    max: 24 * HOUR,
    description: 'How long an instance that belongs to no machine is left alone before it is ended.',
  },
  {
    name: 'resync-after',
    kind: 'duration',
    default: '10m',
    min: 0,
    max: 24 * HOUR,
    description: 'How long a controller whose agent is there may be without a working member before that is made anew.',
  },
  {
    name: 'stopped-grace',
    kind: 'duration',
    default: { local: '0s', else: '60s' },
    min: 0,
    max: 24 * HOUR,
    description: 'How long a controller whose instance somebody stopped is waited for before it counts as lost.',
  },
  {
    name: 'suspect-after',
    kind: 'duration',
    default: '500ms',
    min: 100,
    max: 1 * MINUTE,
    description: 'How long the primary may be silent before another member stands up.',
  },
  {
    name: TAKEOVER,
    kind: 'duration',
    default: '3s',
    min: 3 * SECOND,
    max: 5 * MINUTE,
    description:
      'How soon another worker takes over what a singleton watches when its worker has died. A longer time is fewer heartbeats, which Temporal Cloud bills.',
  },
];

/** Keys under this are free for whatever the operator wants to keep. */
export const FREE_PREFIX = 'x-';
export const LONGEST_KEY = 200;
export const LONGEST_VALUE = 16_384;

/** The value that counts: the stored one, or the default on this cloud; empty for a free key that is not stored. */
export function effectiveValue(name: string, stored: string | undefined, cloud: string): string {
  if (stored !== undefined) return stored;
  const fallback = SETTINGS.find((setting) => setting.name === name)?.default;
  if (fallback === undefined) return '';
  if (typeof fallback === 'string') return fallback;
  return cloud === 'local' ? fallback.local : fallback.else;
}

/** Milliseconds of "500ms", "15s", "5m" or "1h"; a bare number is seconds. null for anything else. */
export function durationMs(text: string): number | null {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  if (found === null) return null;
  const unit = { ms: 1, s: SECOND, m: MINUTE, h: HOUR }[found[2] ?? 's'] ?? SECOND;
  return Math.round(Number(found[1]) * unit);
}

/** How long a member that does not come up is waited for, by what is stored on this cloud. */
export const resyncAfterMs = (cloud: string, stored: string | undefined): number =>
  durationMs(effectiveValue('resync-after', stored, cloud)) as number;

/** Milliseconds. Pure. @param stored the setting `takeover` */
export const takeoverMs = (stored: string | undefined): number =>
  durationMs(effectiveValue(TAKEOVER, stored, '')) as number;

/** Settings that are in the replica set's own config: a change of one takes effect with a reconfig. */
export const TIMINGS = ['heartbeat-interval', 'election-timeout'] as const;

/** The timings that these stored values ask for; the defaults are the same on every cloud. */
export function timingsFrom(stored: Readonly<Record<string, string | undefined>>): Timings {
  const ms = (name: (typeof TIMINGS)[number]) => durationMs(effectiveValue(name, stored[name], '')) as number;
  const electionMs = ms('election-timeout');
  // Members that hear each other more rarely would elect for no reason.
  return { heartbeatMs: Math.min(ms('heartbeat-interval'), Math.floor(electionMs / 2)), electionMs };
}

/** Refuses a key that is neither known nor free. */
export function checkKey(key: string): void {
  if (SETTINGS.some((setting) => setting.name === key)) return;
  if (!key.startsWith(FREE_PREFIX)) {
    throw new QuorateError('unknown-setting', `There is no setting ${JSON.stringify(key.slice(0, 80))}.`, {
      todo: `Known are ${SETTINGS.map((setting) => setting.name).join(', ')}; keys that begin with ${FREE_PREFIX} are free.`,
      exit: 2,
    });
  }
  if (key.length > LONGEST_KEY || !/^[A-Za-z0-9._:/@+-]+$/.test(key)) {
    throw new QuorateError('bad-setting', `A key has letters, digits and . _ : / @ + - only, ${LONGEST_KEY} at most.`, {
      exit: 2,
    });
  }
}

/** Refuses a value that its setting cannot have, and a key that is neither known nor free. */
export function checkSetting(key: string, value: string): void {
  checkKey(key);
  const refuse = (must: string) => {
    throw new QuorateError('bad-setting', `${key} must be ${must}, not ${JSON.stringify(value.slice(0, 80))}.`, {
      exit: 2,
    });
  };
  if (Buffer.byteLength(value) > LONGEST_VALUE) refuse(`${LONGEST_VALUE} bytes at most`);
  const known = SETTINGS.find((setting) => setting.name === key);
  if (known === undefined) return;
  if (known.kind === 'boolean') {
    if (value !== 'true' && value !== 'false') refuse('true or false');
    return;
  }
  if (known.kind === 'constraints') {
    parseConstraints([value]);
    return;
  }
  const ms = durationMs(value);
  if (ms === null) refuse('a duration such as 500ms, 15s, 5m or 1h');
  else if (ms < (known.min ?? 0) || ms > (known.max ?? Number.MAX_SAFE_INTEGER)) {
    refuse(`between ${words(known.min ?? 0)} and ${words(known.max ?? 0)}`);
  }
}

function words(ms: number): string {
  if (ms % HOUR === 0 && ms > 0) return `${ms / HOUR}h`;
  if (ms % MINUTE === 0 && ms > 0) return `${ms / MINUTE}m`;
  return ms % SECOND === 0 ? `${ms / SECOND}s` : `${ms}ms`;
}
