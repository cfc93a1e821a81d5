/**
 * Quorate's own notes in the oplog about a config of two: the proof that a survivor of the two holds every acknowledged write
 * (docs/membership.md, *Two voters*). MongoDB's note `Reconfig set` proves nothing: it is written before the config is in
 * force, and writes acknowledged under the old one were seen behind it.
 */
import type { Document, MongoClient } from 'mongodb';
import type { MemberId } from '../membership/types.js';
import { within } from './connect.js';
import type { SetConfig } from './wire.js';

/** The config of this version is in force: all that is acknowledged without both voters is earlier in the oplog. */
const IN_FORCE = 'quorate: config of two in force';
/** This member may acknowledge alone from here on: the others prove nothing any more. */
const ALONE = 'quorate: one of two goes on alone';
/** Only this member votes, and the config of this version gives another one a vote too: it holds all that was acknowledged. */
const SOLE = 'quorate: one votes, and two will';
const NOTE_MS = 3000;

/** Whoever can run an admin command on one member: the observer. */
interface Members {
  command(host: string, command: Document): Promise<Document>;
}

export const votesIn = (config: SetConfig): number => config.members.filter((member) => member.votes > 0).length;

export const isOfTwo = (config: SetConfig): boolean => votesIn(config) === 2;

/** Writes that the config of two of this version is in force. Only once the primary itself has shown it as its config. */
export async function noteInForce(observer: Members, primaryHost: string, version: number): Promise<void> {
  await append(observer, primaryHost, { msg: IN_FORCE, version }, 1);
}

/**
 * Writes, on both of two, that `member` is about to go on without the other. Before the config that says so is sent, since
 * from then on it acknowledges alone, and the other one hears of it later.
 */
export async function noteAlone(
  observer: Members,
  primaryHost: string,
  version: number,
  member: MemberId,
): Promise<void> {
  await append(observer, primaryHost, { msg: ALONE, version, member }, 'majority');
}

/**
 * Writes, on the only one that votes, that a config of this version will give another one a vote too. Before it is sent: up to
 * then `member` acknowledges alone, and from then on nothing is acknowledged without it, so that it needs no other proof if
 * the newcomer is lost before the config can be noted as in force.
 */
export async function noteSole(
  observer: Members,
  primaryHost: string,
  version: number,
  member: MemberId,
): Promise<void> {
  await append(observer, primaryHost, { msg: SOLE, version, member }, 'majority');
}

async function append(observer: Members, host: string, data: object, w: 1 | 'majority'): Promise<void> {
  const writeConcern = { w, wtimeout: NOTE_MS };
  await within(NOTE_MS + 500, host, observer.command(host, { appendOplogNote: 1, data, writeConcern }));
}

/** Whether the oplog of this member proves that it holds everything acknowledged up to and in the config of this version. */
export async function holdsProof(client: MongoClient, version: number, member: MemberId): Promise<boolean> {
  const oplog = client.db('local').collection('oplog.rs');
  const find = (more: object) =>
    oplog.findOne(
      { op: 'n', 'o.version': version, ...more },
      { sort: { $natural: -1 }, maxTimeMS: 2000, readConcern: { level: 'local' } },
    );
  const proof = (await find({ 'o.msg': IN_FORCE })) ?? (await find({ 'o.msg': SOLE, 'o.member': member }));
  if (proof === null) return false;
  return (await find({ 'o.msg': ALONE, 'o.member': { $ne: member } })) === null;
}
