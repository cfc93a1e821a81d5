import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import writeFileAtomic from 'write-file-atomic';
import { InstanceMetadata } from '../../boot/user-data.js';
import { QuorateError, reasonOf, usageError } from '../../errors.js';
import { Conditions } from './conditions.js';

/** metadata.json: what the machine reads about itself, with the tags beside it, so that a lost record can be rebuilt. */
const Identity = Type.Object({
  ...InstanceMetadata.properties,
  tags: Type.Object({ environment: Type.String(), machine: Type.String(), nonce: Type.String() }),
  /** Of the latest run; ISO 8601. */
  startedAt: Type.String(),
  /** Name of its instance type; not said of those that are older than types. */
  type: Type.Optional(Type.String()),
  /** `process` when it is not said. */
  isolation: Type.Optional(Type.Union([Type.Literal('process'), Type.Literal('namespace')])),
});
type Identity = Static<typeof Identity>;

/** record.json: who the instance is, what was last ordered, and who leads its processes. */
const InstanceRecord = Type.Object({
  ...Identity.properties,
  version: Type.Literal(1),
  power: Type.Union([Type.Literal('on'), Type.Literal('off'), Type.Literal('terminated')]),
  /** Counts up at every start, so that who stopped one run never hits the next. */
  boots: Type.Integer({ minimum: 0 }),
  /** Null before the first start has succeeded, and once an instance is terminated and all of it is gone. */
  process: Type.Union([Type.Null(), Type.Object({ group: Type.Integer({ minimum: 2 }), startedAt: Type.Number() })]),
  /** None when nothing was ever done to it. */
  conditions: Type.Optional(Conditions),
  /** Where it can be reached from outside; none when none of its ports was ever exposed. */
  publicAddress: Type.Optional(Type.String()),
});
export type InstanceRecord = Static<typeof InstanceRecord>;

export type Loaded =
  /** `damage` is empty, or says why the record had to be rebuilt (the next write repairs it). */
  | { readonly kind: 'sound'; readonly record: InstanceRecord; readonly damage: string }
  | { readonly kind: 'damaged'; readonly damage: string }
  | { readonly kind: 'none' };

/** One nonce, one instance: the ID is a function of the nonce, so the directory's name is the claim on it. */
export function instanceId(environment: string, nonce: string): string {
  return `i-${createHash('sha256').update(`${environment}\0${nonce}`).digest('hex').slice(0, 17)}`;
}

/** The console is shown from its end, as clouds do. */
const CONSOLE_BYTES = 1024 * 1024;

const INSTANCE_ID = /^i-[0-9a-f]{17}$/;
const ENVIRONMENT = /^[0-9A-Za-z][0-9A-Za-z-]{0,63}$/;

/** The instances' directories: ROOT/ENVIRONMENT/INSTANCE/{record.json, metadata.json, user-data.json, console.log, disk/}; those with namespaces also have root/ (their changes to the host's files) and disk.img (a disk of limited size).. */
export class Records {
  constructor(readonly root: string) {}

  environmentDirectory(environment: string): string {
    if (!ENVIRONMENT.test(environment)) throw usageError('bad-environment', `${environment} is no environment's UUID`);
    return join(this.root, environment);
  }

  directory(environment: string, id: string): string {
    return join(this.environmentDirectory(environment), id);
  }

  async environments(): Promise<string[]> {
    return (await names(this.root)).filter((each) => ENVIRONMENT.test(each));
  }

  /** IDs of all instances that have a directory, whatever is in it; none under a name that no environment can have. */
  async instances(environment: string): Promise<string[]> {
    if (!ENVIRONMENT.test(environment)) return [];
    return (await names(this.environmentDirectory(environment))).filter((each) => INSTANCE_ID.test(each)).sort();
  }

  /** The environment that an instance belongs to; null when there is no such instance. */
  async environmentOf(id: string): Promise<string | null> {
    if (!INSTANCE_ID.test(id)) return null;
    for (const environment of await this.environments()) {
      if (await exists(this.directory(environment, id))) return environment;
    }
    return null;
  }

  /** Never throws over what is in the files. */
  async load(environment: string, id: string): Promise<Loaded> {
    const directory = this.directory(environment, id);
    if (!(await exists(directory))) return { kind: 'none' };
    const record = await readAs(InstanceRecord, join(directory, 'record.json'));
    if ('value' in record) return { kind: 'sound', record: record.value, damage: '' };
    const identity = await readAs(Identity, join(directory, 'metadata.json'));
    if (!('value' in identity)) return { kind: 'damaged', damage: `${record.damage}; ${identity.damage}` };
    return { kind: 'sound', record: await this.#rebuilt(directory, identity.value), damage: record.damage };
  }

  async loadAll(environment: string): Promise<{ readonly id: string; readonly is: Loaded }[]> {
    const ids = await this.instances(environment);
    return Promise.all(ids.map(async (id) => ({ id, is: await this.load(environment, id) })));
  }

  /** A directory appears with everything in it or not at all. */
  async create(record: InstanceRecord, userData: string): Promise<void> {
    const directory = this.directory(record.tags.environment, record.instance);
    const unfinished = `${directory}.new`;
    await rm(unfinished, { recursive: true, force: true });
    await this.#fill(unfinished, record, userData);
    await rename(unfinished, directory);
  }

  /** Gives a damaged instance its files again; its disk and its user data (whose token may be shredded) stay as they are. */
  async restore(record: InstanceRecord, userData: string): Promise<void> {
    await this.#fill(this.directory(record.tags.environment, record.instance), record, userData);
  }

  async write(record: InstanceRecord): Promise<void> {
    await writeJson(join(this.directory(record.tags.environment, record.instance), 'record.json'), record);
  }

  /** What the machine reads when it starts; written again at each start, so that it is right even when it was damaged. */
  async writeMetadata(record: InstanceRecord): Promise<void> {
    await writeIdentity(this.directory(record.tags.environment, record.instance), record);
  }

  /** All that a terminated instance leaves is its record and its console. */
  async removeDisk(record: InstanceRecord): Promise<void> {
    const directory = this.directory(record.tags.environment, record.instance);
    // What namespaces keep goes first: without a disk an instance is taken for terminated.
    for (const name of ['root', 'disk.img', 'disk.img.new', 'disk', 'user-data.json']) {
      await rm(join(directory, name), { recursive: true, force: true, maxRetries: 3 });
    }
  }

  /** Empty as long as nothing was ever started. */
  async console(environment: string, id: string): Promise<string> {
    const path = join(this.directory(environment, id), 'console.log');
    if (!(await exists(path))) return '';
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const length = Math.min(size, CONSOLE_BYTES);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  }

  async remove(environment: string, id: string): Promise<void> {
    await rm(this.directory(environment, id), { recursive: true, force: true, maxRetries: 3 });
  }

  async #fill(directory: string, record: InstanceRecord, userData: string): Promise<void> {
    await mkdir(join(directory, 'disk'), { recursive: true, mode: 0o700 });
    const userDataPath = join(directory, 'user-data.json');
    if (!(await exists(userDataPath))) await writeFileAtomic(userDataPath, userData, { mode: 0o600 });
    await writeIdentity(directory, record);
    await writeJson(join(directory, 'record.json'), record);
  }

  /** Who leads it is found by the mark; without a disk it was terminated (a directory is never made without one). */
  async #rebuilt(directory: string, identity: Identity): Promise<InstanceRecord> {
    const power = (await exists(join(directory, 'disk'))) ? 'on' : 'terminated';
    return { ...identity, version: 1, power, boots: 0, process: null };
  }
}

async function writeIdentity(directory: string, record: InstanceRecord): Promise<void> {
  const { instance, address, ports, zone, tags, startedAt, type, isolation } = record;
  const said = { ...(type ? { type } : {}), ...(isolation ? { isolation } : {}) };
  const identity: Identity = { instance, address, ports, zone, tags, startedAt, ...said };
  await writeJson(join(directory, 'metadata.json'), identity);
}

/** The file's value, or in words what is wrong with it. */
export async function readAs<T extends TSchema>(
  schema: T,
  path: string,
): Promise<{ value: Static<T> } | { damage: string }> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (Value.Check(schema, value)) return { value };
    const first = Value.Errors(schema, value).First();
    return { damage: `${path} is damaged: ${first?.message ?? 'not as expected'} at ${first?.path || '/'}` };
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return { damage: missing ? `${path} is missing` : `${path} is damaged: ${reasonOf(error)}` };
  }
}

/** Atomic; readable by the owner alone. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}

export function unknownInstance(id: string): QuorateError {
  return new QuorateError('unknown-instance', `there is no instance ${id}`, {
    todo: '`quorate cloud list` shows those there are',
  });
}

async function names(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
