import { type PortRule, portsText } from '../../../machines/ports.js';
import type { Ingress } from '../../cloud.js';
import { type Forwarder, sourcesOf } from './forwarder.js';
import { openTcp } from './tcp.js';
import { openUdp } from './udp.js';

/** What shall be open of one instance, and where. */
export interface Wanted extends Ingress {
  /** Public address. */
  readonly address: string;
  /** The instance's own address. */
  readonly target: string;
}

interface Entry {
  wanted: Wanted;
  /** By protocol and port. */
  readonly open: Map<string, Forwarder>;
}

/** One port of a rule. */
interface PortWanted {
  readonly key: string;
  readonly port: number;
  readonly rule: PortRule;
}

/** The ports of these rules one by one. */
export function portsOf(rules: readonly PortRule[]): PortWanted[] {
  return rules.flatMap((rule) =>
    Array.from({ length: rule.to - rule.from + 1 }, (_, at) => {
      const port = rule.from + at;
      return { key: `${rule.protocol}/${port}`, port, rule };
    }),
  );
}

/** Which of the open ports are to be closed, admitted to others, or opened. Pure. */
export function changesTo(open: ReadonlySet<string>, rules: readonly PortRule[]) {
  const wanted = portsOf(rules);
  const keys = new Set(wanted.map(({ key }) => key));
  return {
    close: [...open].filter((key) => !keys.has(key)),
    keep: wanted.filter(({ key }) => open.has(key)),
    begin: wanted.filter(({ key }) => !open.has(key)),
  };
}

/** The ports that this process holds open, by instance. Nothing of it is kept anywhere else: what is open is what is here. */
export class Table {
  readonly #entries = new Map<string, Entry>();
  #last: Promise<unknown> = Promise.resolve();

  /** What is open: of each range only what is open as a whole. */
  list(): Ingress[] {
    return [...this.#entries.values()].map(({ wanted: { instance, version, rules }, open }) => ({
      instance,
      version,
      rules: rules.filter((rule) => portsOf([rule]).every(({ key }) => open.has(key))),
    }));
  }

  /** Makes it so, one after the other; answers why ranges could not be opened. An older version than the last changes nothing. */
  async set(wanted: Wanted): Promise<readonly string[]> {
    const done = this.#last.then(() => this.#set(wanted));
    this.#last = done.catch(() => undefined);
    return await done;
  }

  /** Closes all of an instance and forgets it. */
  async drop(instance: string): Promise<void> {
    const done = this.#last.then(() => {
      for (const forwarder of this.#entries.get(instance)?.open.values() ?? []) forwarder.close();
      this.#entries.delete(instance);
    });
    this.#last = done;
    await done;
  }

  async #set(wanted: Wanted): Promise<readonly string[]> {
    const before = this.#entries.get(wanted.instance);
    if (before !== undefined && before.wanted.version > wanted.version) return [];
    const moved = before?.wanted.address !== wanted.address || before.wanted.target !== wanted.target;
    if (before !== undefined && moved) for (const [key] of before.open) shut(before, key);
    const entry: Entry = before ?? { wanted, open: new Map() };
    entry.wanted = wanted;
    this.#entries.set(wanted.instance, entry);
    const { close, keep, begin } = changesTo(new Set(entry.open.keys()), wanted.rules);
    for (const key of close) shut(entry, key);
    for (const { key, rule } of keep) entry.open.get(key)?.admit(sourcesOf(rule.cidrs));
    const failed = new Map<PortRule, string>();
    for (const { key, port, rule } of begin) {
      const { address, target } = wanted;
      const openPort = rule.protocol === 'tcp' ? openTcp : openUdp;
      try {
        entry.open.set(key, await openPort({ address, port, target }, sourcesOf(rule.cidrs)));
      } catch (error) {
        if (!failed.has(rule)) failed.set(rule, whyNot(rule, port, address, error));
      }
    }
    return [...failed.values()];
  }
}

function shut(entry: Entry, key: string): void {
  entry.open.get(key)?.close();
  entry.open.delete(key);
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something else listens there',
  EACCES: 'whoever runs the engine may not listen there',
  EADDRNOTAVAIL: 'this system has no such address',
};

function whyNot(rule: PortRule, port: number, address: string, error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return `${portsText(rule)} cannot be opened: ${REASONS[code] ?? message} (${address}:${port}, ${code})`;
}
