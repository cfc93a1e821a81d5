import { afterEach, expect, test, vi } from 'vitest';
import type { ReplicaSet } from '../membership/types.js';
import { execute } from './execute.js';
import type { Observer } from './observe.js';
import type { SetConfig } from './wire.js';

afterEach(() => void vi.useRealTimers());

const member = (id: number, votes: number) => ({ _id: id, host: `m${id}:1`, votes, priority: votes, tags: {} });
const config = { _id: 'juju', version: 4, term: 1, members: [member(0, 1), member(1, 0)] } as unknown as SetConfig;
const optime = { t: 1, s: 9, i: 1 };
const set = {
  ...{ version: 4, term: 1, primary: 0, committed: true, unsettled: null, reference: optime },
  members: [0, 1].map((id) => ({
    ...{ id, host: `m${id}:1`, machine: String(id), votes: 1 - id, healthy: true, optime },
    state: id === 0 ? 'PRIMARY' : 'SECONDARY',
  })),
} as unknown as ReplicaSet;

/** Grants a vote, with a look at the set that takes so long; how often a config was sent. */
async function granting(lookMs: number): Promise<number> {
  vi.useFakeTimers({ toFake: ['performance'] });
  const command = vi.fn(async () => ({ ok: 1 }));
  const look = async () => {
    vi.advanceTimersByTime(lookMs);
    return { set, config, primaryHost: 'm0:1' };
  };
  const observer = { look, command } as unknown as Observer;
  const deed = { kind: 'grant-vote', member: 1, machine: '1' } as const;
  await execute({ observer, hosts: ['m0:1'], deed, fence: { version: 4, term: 1 } }).catch((error) =>
    expect(error).toMatchObject({ code: 'not-yet' }),
  );
  return command.mock.calls.flat().filter((sent) => typeof sent === 'object' && 'replSetReconfig' in (sent as object))
    .length;
}

test('what was decided on long ago is not sent, though nothing has changed since', async () => {
  expect(await granting(100)).toBe(1);
  expect(await granting(11_000)).toBe(0);
});
