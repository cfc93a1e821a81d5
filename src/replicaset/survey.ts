/** Asking every member what it holds, each for itself: what `recover` decides on. Members that do not answer are left out. */

import type { Holder, Survey } from '../membership/recovery.js';
import type { MemberState, OpTime } from '../membership/types.js';
import { within } from './connect.js';
import { type Observer, readConfig } from './observe.js';
import { type Hello, isNewer, opTime, type SetConfig, type SetStatus, termOfConfig } from './wire.js';

/** A member is given this long: nothing else is waiting, and a busy machine is slow. */
const ANSWER_MS = 3000;

interface Answer {
  readonly host: string;
  readonly hello: Hello;
  readonly status: SetStatus;
  readonly config: SetConfig;
  readonly noted: boolean | null;
}

/** null when no member of the set answers. */
export async function survey(observer: Observer, hosts: readonly string[]): Promise<Survey | null> {
  const asked = new Set<string>();
  const answers: Answer[] = [];
  // The configs of those that answer name members that the caller does not know.
  for (let next = [...hosts]; next.length > 0; ) {
    for (const host of next) asked.add(host);
    answers.push(...(await Promise.all(next.map((host) => ask(observer, host)))).flat());
    const named = answers.flatMap(({ config }) => config.members.map(({ host }) => host));
    next = [...new Set(named)].filter((host) => !asked.has(host));
  }
  const [primary] = answers
    .filter(({ hello }) => hello.isWritablePrimary)
    .sort((a, b) => Number(b.status.term) - Number(a.status.term));
  const newest = primary?.config ?? answers.map(({ config }) => config).sort((a, b) => (isNewer(a, b) ? -1 : 1))[0];
  if (newest === undefined) return null;
  const holders = answers.flatMap((answer) => holderOf(answer) ?? []);
  return {
    version: newest.version,
    members: newest.members.map(({ _id, host, votes, tags }) => ({
      id: _id,
      machine: tags?.machine ?? null,
      host,
      votes: votes > 0 ? 1 : 0,
    })),
    holders,
    primary: holders.find(({ host }) => host === primary?.host)?.id ?? null,
  };
}

/** Nothing when it does not answer in time, or belongs to no set: what that means is decided from the whole. */
async function ask(observer: Observer, host: string): Promise<Answer[]> {
  try {
    return await within(ANSWER_MS, host, asking(observer, host));
  } catch {
    return [];
  }
}

async function asking(observer: Observer, host: string): Promise<Answer[]> {
  const [hello, status, { config }] = await Promise.all([
    observer.command(host, { hello: 1 }),
    observer.command(host, { replSetGetStatus: 1 }),
    readConfig(observer.member(host), false),
  ]);
  if (config === null) return [];
  const self = config.members.find((candidate) => candidate.host === host);
  const noted = self === undefined ? null : await observer.noted(host, config.version, self._id);
  return [{ host, hello: hello as unknown as Hello, status: status as unknown as SetStatus, config, noted }];
}

/** null for one that its own config does not name: it has left the set. */
function holderOf({ host, hello, status, config, noted }: Answer): Holder | null {
  const member = config.members.find((candidate) => candidate.host === host);
  if (member === undefined) return null;
  const { lastWrite, localTime } = hello;
  const { appliedOpTime, lastCommittedOpTime } = status.optimes;
  return {
    id: member._id,
    machine: member.tags?.machine ?? null,
    host,
    votes: member.votes > 0 ? 1 : 0,
    state: (status.members.find(({ self }) => self)?.stateStr ?? 'UNKNOWN') as MemberState,
    term: Number(status.term),
    config: { version: config.version, term: termOfConfig(config) },
    applied: known(appliedOpTime && opTime(appliedOpTime)),
    committed: known(lastCommittedOpTime && opTime(lastCommittedOpTime)),
    ageMs:
      lastWrite?.lastWriteDate && localTime
        ? Math.max(0, localTime.getTime() - lastWrite.lastWriteDate.getTime())
        : null,
    noted,
  };
}

/** MongoDB's word for nothing yet is an optime of zero. */
function known(found: OpTime | undefined): OpTime | null {
  return found === undefined || (found.s === 0 && found.i === 0) ? null : found;
}
