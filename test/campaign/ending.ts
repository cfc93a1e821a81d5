import type { Status } from '../../src/api/status.js';
import { reasonOf } from '../../src/errors.js';
import { environmentKey, SINGLETONS, workflowIds } from '../../src/temporal/names.js';
import { ENVIRONMENT, type Ground } from './ground.js';
import { whyByHand } from './hand.js';
import type { Story } from './story.js';

/** What is missing until the environment is whole: every controller that was asked for votes and is well, nobody else is there. */
export function missing(status: Status | null): string[] {
  if (status === null) return ['no controller answers'];
  if (status.stale) return ['there is no majority'];
  const { ha, controllers, change } = status;
  const lacks: string[] = [];
  if (change) lacks.push(`a change runs: ${change.kind}, ${change.step}`);
  if (ha.primary === null) lacks.push('there is no primary');
  if (ha.voters !== ha.desired || ha.healthyVoters !== ha.desired)
    lacks.push(`${ha.healthyVoters} of ${ha.voters} voters are well, ${ha.desired} are wanted`);
  if (controllers.length !== ha.desired)
    lacks.push(`${controllers.length} controllers are there, ${ha.desired} are wanted`);
  for (const { machine, agent, life, member, services } of controllers) {
    const about = `machine ${machine}`;
    if (life !== 'alive') lacks.push(`${about} is ${life}`);
    if (agent !== 'started') lacks.push(`the agent of ${about} is ${agent}`);
    if (!member?.vote || !['PRIMARY', 'SECONDARY'].includes(member.state))
      lacks.push(
        `the member of ${about} is ${member ? `${member.state}${member.vote ? '' : ' without a vote'}` : 'not there'}`,
      );
    for (const name of ['mongod', 'api', 'worker'] as const)
      if (services[name]?.state !== 'running')
        lacks.push(`${name} of ${about} is ${services[name]?.state ?? 'not there'}`);
  }
  return lacks;
}

/** That a person had to type a command. */
export interface Helped {
  /** What was missing. */
  readonly lacks: string;
  /** Why it is meant to need a person; null: it should have healed by itself. */
  readonly why: string | null;
}

/**
 * Waits until the environment is whole; when it is not by itself, types what a person would type.
 *
 * @param withinMs how long it may take to be whole by itself, and once more after a person's hand
 * @returns what is missing in the end, and what it was when a hand was needed (null when none was)
 */
export async function untilWhole(
  ground: Ground,
  story: Story,
  withinMs: number,
): Promise<{ lacks: string[]; helped: Helped | null }> {
  const lacks = await wait(ground, withinMs);
  if (lacks.length === 0) {
    // What was changed by hand stays until the next change of controllers: whoever did it types one.
    const uneven = unevenMembers(await membersOf(ground));
    if (uneven.length === 0) return { lacks, helped: null };
    story.tell('ending', `changed by hand: ${uneven.join('; ')}`);
    return { lacks: await restore(ground, story, withinMs), helped: null };
  }
  const why = await whyNotWhole(ground, story);
  story.tell('ending', `not whole by itself: ${lacks.join('; ')} (${why ?? 'it should be'})`);
  return { lacks: await restore(ground, story, withinMs), helped: { lacks: lacks.join('; '), why } };
}

async function whyNotWhole(ground: Ground, story: Story): Promise<string | null> {
  try {
    const [changes, members] = await Promise.all([ground.changes(), membersOf(ground)]);
    const voteless = unevenMembers(members.filter(({ votes }) => votes === 0));
    return whyByHand({ changes, voteless });
  } catch (error) {
    story.tell('ending', `why it is not whole cannot be found out: ${reasonOf(error)}`);
    return null;
  }
}

/** Types what brings back as many controllers as were asked for. @returns what is missing afterwards */
async function restore(ground: Ground, story: Story, withinMs: number): Promise<string[]> {
  const { desired } = ground.last.ha;
  const words = desired > 1 ? ['enable-ha', '-n', String(desired)] : ['disable-ha'];
  story.tell('ending', `quorate ${words.join(' ')}`);
  const run = ground.site.home.start(...words);
  const timer = setTimeout(() => run.child.kill('SIGINT'), withinMs);
  const { code, stdout, stderr } = await run.done;
  clearTimeout(timer);
  story.tell('ending', `exit ${code}: ${stderr.trim()} ${stdout.trim()}`);
  return await wait(ground, withinMs);
}

async function wait(ground: Ground, ms: number): Promise<string[]> {
  const deadline = performance.now() + ms;
  for (;;) {
    const lacks = missing(await ground.status());
    if (lacks.length === 0 || performance.now() > deadline) return lacks;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** What is still there after so long, and belongs to nobody: instances, members, processes, workflows. In sentences. */
export async function leftovers(ground: Ground, withinMs: number): Promise<string[]> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const left = await leftNow(ground);
    if (left.length === 0 || performance.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function leftNow(ground: Ground): Promise<string[]> {
  const status = await ground.status();
  if (status === null) return ['no controller answers who could say what belongs to somebody'];
  const { controllers, machines } = status;
  const known = new Set([...controllers.map(({ machine }) => machine), ...machines.map(({ id }) => id)]);
  const left: string[] = [...(await ground.site.problems(ground.uuid))];
  const instances = await ground.instances();
  for (const { id, state, tags } of instances) {
    if (!known.has(tags.machine))
      left.push(`instance ${id} of machine ${tags.machine} is ${state} and belongs to nobody`);
  }
  for (const machine of known) {
    const mine = instances.filter(({ tags }) => tags.machine === machine);
    if (mine.length !== 1) left.push(`machine ${machine} has ${mine.length} instances`);
  }
  for (const { id, tags } of instances) {
    const mongods = ground.site.pidsOf(id, 'mongod').length;
    if (mongods > 1) left.push(`machine ${tags.machine} runs ${mongods} mongods`);
  }
  const members = await membersOf(ground);
  left.push(...strangeMembers(members, controllers), ...unevenMembers(members), ...(await strangeWorkflows(ground)));
  return left;
}

interface Member {
  readonly _id: number;
  readonly host: string;
  readonly votes: number;
  readonly priority: number;
}

async function membersOf(ground: Ground): Promise<readonly Member[]> {
  const client = await ground.member(ground.last.ha.primary ?? '');
  try {
    return (await client.db('admin').command({ replSetGetConfig: 1 })).config.members;
  } finally {
    await client.close(true);
  }
}

function strangeMembers(members: readonly Member[], controllers: Status['controllers']): string[] {
  const strangers = members.filter(({ host }) => !controllers.some(({ mongo }) => mongo === host));
  return strangers.map(({ _id, host }) => `member ${_id} (${host}) belongs to no machine`);
}

function unevenMembers(members: readonly Member[]): string[] {
  const uneven = members.filter(({ votes, priority }) => votes !== 1 || priority !== 1);
  return uneven.map(({ _id, votes, priority }) => `member ${_id} has ${votes} votes and priority ${priority}`);
}

/** Of an environment at rest only the singletons run. */
async function strangeWorkflows(ground: Ground): Promise<string[]> {
  const key = environmentKey(ENVIRONMENT, ground.uuid);
  const wanted = new Set(SINGLETONS.map((name) => workflowIds.singleton(key, name)));
  const left: string[] = [];
  const { client, connection } = await ground.site.connect();
  try {
    for await (const { workflowId, type } of client.workflow.list({ query: "ExecutionStatus = 'Running'" })) {
      if (!wanted.delete(workflowId)) left.push(`workflow ${workflowId} (${type}) still runs`);
    }
  } finally {
    await connection.close();
  }
  return [...left, ...[...wanted].map((id) => `workflow ${id} does not run`)];
}

/** Whether all members hold the same settings. In sentences, empty when they do. */
export async function differences(ground: Ground): Promise<string[]> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const hashes = new Map<string, string>();
    for (const { machine } of ground.last.controllers) {
      const client = await ground.member(machine);
      try {
        const { md5 } = await client.db('quorate').command({ dbHash: 1, collections: ['settings'] });
        hashes.set(machine, String(md5));
      } finally {
        await client.close(true);
      }
    }
    if (new Set(hashes.values()).size <= 1) return [];
    // The last writes may be on their way still.
    if (performance.now() > deadline)
      return [
        `members hold different settings: ${[...hashes].map(([machine, md5]) => `${machine}: ${md5}`).join(', ')}`,
      ];
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
