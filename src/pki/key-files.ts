import { link, rm } from 'node:fs/promises';
import path from 'node:path';
import { readIfThere, shred, writePrivate } from '../store/files.js';

/**
 * The keys that every controller holds: the CA's and the boot key; while the CA is rotated the next ones beside them, and
 * then the boot key before, as machines may be booting with tokens of it.
 */
export interface KeyFiles {
  readonly caKey: string;
  readonly bootKey: string;
  /** Both of the next keys in one file: they go together. */
  readonly nextKeys: string;
  readonly previousBootKey: string;
}

/** A CA's key (PEM) and the boot key (hex) that goes with it. */
export interface Keys {
  readonly caKey: string;
  readonly bootKey: string;
}

export function keyFilesIn(directory: string): KeyFiles {
  const file = (name: string) => path.join(directory, name);
  return {
    caKey: file('ca.key'),
    bootKey: file('boot.key'),
    nextKeys: file('next-keys.json'),
    previousBootKey: file('previous-boot.key'),
  };
}

/** The next keys; null for none. */
export async function readNext({ nextKeys }: KeyFiles): Promise<Keys | null> {
  const text = await readIfThere(nextKeys);
  return text === null ? null : (JSON.parse(text) as Keys);
}

export async function writeNext({ nextKeys }: KeyFiles, keys: Keys): Promise<void> {
  await writePrivate(nextKeys, JSON.stringify(keys));
}

/** These keys, unless there are next ones already: those, so that whoever makes them twice at once makes them once. */
export async function keepNext(files: KeyFiles, keys: Keys): Promise<Keys> {
  const draft = `${files.nextKeys}.${process.pid}`;
  try {
    await writePrivate(draft, JSON.stringify(keys));
    await link(draft, files.nextKeys);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return (await readNext(files)) ?? keys;
}

/** Every boot key that tokens may be of: the present one first. */
export async function readBootKeys(files: KeyFiles): Promise<string[]> {
  const [present, next, previous] = await Promise.all([
    readIfThere(files.bootKey),
    readNext(files),
    readIfThere(files.previousBootKey),
  ]);
  return [present, next?.bootKey ?? null, previous].filter((key) => key !== null).map((key) => key.trim());
}

/** The next keys become the present ones; of those before only the boot key is kept. Interrupted, it is done again. */
export async function promoteNext(files: KeyFiles): Promise<void> {
  const next = await readNext(files);
  if (next === null) return;
  const present = await readIfThere(files.bootKey);
  if (present !== null && present.trim() !== next.bootKey) {
    await writePrivate(files.previousBootKey, present);
    await writePrivate(files.bootKey, next.bootKey);
  }
  if ((await readIfThere(files.caKey)) !== next.caKey) {
    await shred(spentOf(files));
    // Whoever reads the key at this moment finds one of the two, and the one before is not only unlinked.
    await link(files.caKey, spentOf(files));
    await writePrivate(files.caKey, next.caKey);
  }
  await shred(spentOf(files));
  await shred(files.nextKeys);
}

/** Shreds what was only kept for a rotation. */
export async function forgetPrevious(files: KeyFiles): Promise<void> {
  for (const file of [files.previousBootKey, files.nextKeys, spentOf(files)]) await shred(file);
}

const spentOf = ({ caKey }: KeyFiles): string => `${caKey}.spent`;
