/**
 * Looking at the replica set: every member is asked itself, all at once, each with a short deadline so that a frozen one holds
 * up nobody. Connections are kept from one look to the next.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Document, type MongoClient, MongoServerError } from 'mongodb';
import { compareOpTimes } from '../membership/facts.js';
import type { MemberId, OpTime, ReplicaSet } from '../membership/types.js';
import type { Identity } from '../pki/identity.js';
import { type Answer, assemble, type Basis, basisOf, referenceOf } from './assemble.js';
import { adminCommand, directClient, unlessRefused, within } from './connect.js';
import { Downtime } from './downtime.js';
import { holdsProof, isOfTwo } from './note.js';
import { type Hello, lastWritten, type SetConfig, type SetStatus } from './wire.js';

/** How long one member may take to answer before the others are asked what they think of it. */
const ANSWER_MS = 300;
/** How long one may take that somebody still hears: a busy machine is slow, and is not to be taken for a dead one. */
const SLOW_ANSWER_MS = 600;
/** How long the first to answer may take when nobody has: what no busy machine answered in time is not the loss of a majority. */
const UNHEARD_MS = 2000;
/** How long a member that is close behind may take to reach what the primary had when we looked. */
const FOLLOW_MS = 250;
/** Further behind than this (seconds), it is not waited for. */
const CLOSE_SECONDS = 2;

/** A look at the set, with what a change needs beside the picture: the config as it is, and where to send the next one. */
export interface Look {
  readonly set: ReplicaSet;
  readonly config: SetConfig;
  /** Host of the writable primary, when it answered. */
  readonly primaryHost: string | null;
}

export class Observer {
  readonly #identity: Identity;
  readonly #clients = new Map<string, MongoClient>();
  readonly #downtime = new Downtime();
  /** The hosts of the last config seen: members are asked even when the caller knows only some. */
  #known: readonly string[] = [];

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  /** The set as its members see it, or null when none that belongs to a set could be asked. */
  async observe(hosts: readonly string[]): Promise<ReplicaSet | null> {
    return (await this.look(hosts))?.set ?? null;
  }

  async look(hosts: readonly string[]): Promise<Look | null> {
    const asked = new Set([...hosts, ...this.#known]);
    const answers = await this.#askAll(asked, []);
    const named = answers.flatMap((a) => a.config?.members.map((m) => m.host) ?? []);
    answers.push(...(await this.#askAll(new Set(named.filter((host) => !asked.has(host))), answers)));

    const basis = basisOf(answers);
    if (basis === null) return null;
    this.#known = basis.config.members.map((m) => m.host);
    const members = answers.filter((a) => this.#known.includes(a.host));
    const [optimes, notes] = await Promise.all([
      this.#follow(members, referenceOf(basis)),
      this.#notes(basis, members),
    ]);
    const set = assemble(basis, members, optimes, notes);
    return {
      set: { ...set, members: this.#downtime.look(set.members, performance.now()) },
      config: basis.config,
      primaryHost: basis.primary?.host ?? null,
    };
  }

  /** Runs a command on one member's admin database. */
  command(host: string, command: Document): Promise<Document> {
    return adminCommand(this.#client(host), command);
  }

  /** A connection to one member alone, kept with the others; it is closed with the observer. */
  member(host: string): MongoClient {
    return this.#client(host);
  }

  /** Whether a member's oplog holds the note of a config; null when it cannot be read. */
  noted(host: string, version: number, member: MemberId): Promise<boolean | null> {
    return holdsProof(this.#client(host), version, member).catch(() => null);
  }

  async close(): Promise<void> {
    const clients = [...this.#clients.values()];
    this.#clients.clear();
    await Promise.all(clients.map((client) => client.close()));
  }

  #client(host: string): MongoClient {
    let client = this.#clients.get(host);
    if (client === undefined) {
      client = directClient(host, this.#identity);
      this.#clients.set(host, client);
    }
    return client;
  }

  /** @param others what other members have answered already */
  async #askAll(hosts: ReadonlySet<string>, others: readonly Answer[]): Promise<Answer[]> {
    const answers = new Map<string, Answer>();
    const asked = new Map(
      [...hosts].map((host) => [
        host,
        within(UNHEARD_MS, host, unlessRefused(this.#client(host), host, this.#ask(host))).then(
          (answer) => void answers.set(host, answer),
        ),
      ]),
    );
    // Not answering is an answer: what it means is decided from the whole picture.
    const all = Promise.allSettled(asked.values());
    await Promise.race([all, sleep(ANSWER_MS)]);
    const heard = [...others, ...answers.values()];
    const slow = [...asked].filter(([host]) => !answers.has(host) && calledHealthy(host, heard));
    await Promise.race([Promise.allSettled(slow.map(([, answer]) => answer)), sleep(SLOW_ANSWER_MS - ANSWER_MS)]);
    if (others.length + answers.size === 0) {
      await Promise.any(asked.values()).catch(() => undefined);
      await Promise.race([all, sleep(ANSWER_MS)]);
    }
    return [...answers.values()];
  }

  async #ask(host: string): Promise<Answer> {
    const hello = (await this.command(host, { hello: 1 })) as unknown as Hello;
    const [status, { config, committed }] = await Promise.all([
      orRefused(this.command(host, { replSetGetStatus: 1 }) as unknown as Promise<SetStatus>),
      readConfig(this.#client(host), hello.isWritablePrimary),
    ]);
    return { host, hello, status, config, committed };
  }

  /** Applied optimes of those who answered, read after the reference; those that are close get a moment to reach it. */
  async #follow(answers: readonly Answer[], reference: OpTime | null): Promise<Map<string, OpTime>> {
    const optimes = new Map<string, OpTime>();
    const deadline = performance.now() + FOLLOW_MS;
    const follow = async (host: string): Promise<void> => {
      for (;;) {
        const hello = (await within(ANSWER_MS, host, this.command(host, { hello: 1 }))) as unknown as Hello;
        const optime = lastWritten(hello);
        if (optime === null) return;
        optimes.set(host, optime);
        if (reference === null || compareOpTimes(optime, reference) >= 0) return;
        if (performance.now() > deadline || reference.s - optime.s > CLOSE_SECONDS) return;
        await sleep(15);
      }
    };
    // One that falls silent here has no optime, or the last one it gave.
    await Promise.all(answers.map(({ host }) => follow(host).catch(() => undefined)));
    return optimes;
  }

  /** See `ReplicaSet.notes`. One that cannot be read is left out: not knowing is not the same as no note. */
  async #notes({ config, primary }: Basis, answers: readonly Answer[]): Promise<ReplicaSet['notes']> {
    if (primary !== null || !isOfTwo(config)) return [];
    const read = config.members
      .filter((member) => answers.some((a) => a.host === member.host && a.config?.version === config.version))
      .map(async ({ _id: member, host }) => {
        const noted = await this.noted(host, config.version, member);
        return noted === null ? [] : [{ member, version: config.version, noted }];
      });
    return (await Promise.all(read)).flat();
  }
}

/** The config, with the primary's own word on its commitment. */
export async function readConfig(
  member: MongoClient,
  primary: boolean,
): Promise<{ config: SetConfig | null; committed: boolean | null }> {
  const asked = primary ? { replSetGetConfig: 1, commitmentStatus: true } : { replSetGetConfig: 1 };
  const answer = await orRefused(adminCommand(member, asked));
  // It has stepped down between the two questions.
  if (answer === null && primary) return readConfig(member, false);
  if (answer === null) return { config: null, committed: null };
  return { config: answer.config as SetConfig, committed: (answer.commitmentStatus as boolean | undefined) ?? null };
}

/** null when the member itself refuses: not initiated, removed, or without users yet. */
async function orRefused<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof MongoServerError) return null;
    throw error;
  }
}

/** Somebody who answered hears its heartbeats. */
function calledHealthy(host: string, answers: Iterable<Answer>): boolean {
  const opinions = [...answers].flatMap(({ status }) => status?.members.filter((member) => member.name === host) ?? []);
  return opinions.some(({ health }) => health === 1);
}
