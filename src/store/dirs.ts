import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

export interface Dirs {
  readonly data: string;
  readonly cache: string;
  readonly state: string;
  /** The local cloud's root: its instances, their disks and records. */
  readonly localCloud: string;
  /** The engine's records and logs. */
  readonly engine: string;
  /** The engine's database. */
  readonly engineData: string;
  /** Downloaded servers. */
  readonly toolchain: string;
}

/** Where the operator's files lie: under `QUORATE_HOME` when it is set, else in the XDG base directories. */
export function dirsOf(env: NodeJS.ProcessEnv): Dirs {
  const { data, cache, state } = env.QUORATE_HOME ? ownHome(env.QUORATE_HOME) : xdg(env);
  return {
    data,
    cache,
    state,
    localCloud: join(data, 'local'),
    engine: join(state, 'engine'),
    engineData: join(data, 'engine'),
    toolchain: join(cache, 'toolchain'),
  };
}

function ownHome(home: string) {
  return { data: resolve(home, 'data'), cache: resolve(home, 'cache'), state: resolve(home, 'state') };
}

function xdg(env: NodeJS.ProcessEnv) {
  const home = env.HOME || homedir();
  // The XDG specification: a relative path is invalid and ignored.
  const base = (value: string | undefined, otherwise: string) =>
    join(value && isAbsolute(value) ? value : join(home, otherwise), 'quorate');
  return {
    data: base(env.XDG_DATA_HOME, '.local/share'),
    cache: base(env.XDG_CACHE_HOME, '.cache'),
    state: base(env.XDG_STATE_HOME, '.local/state'),
  };
}
