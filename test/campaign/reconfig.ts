import { MongoError } from 'mongodb';
import type { Act } from './acts.js';
import type { Ground } from './ground.js';

interface Member {
  readonly _id: number;
  readonly votes: number;
  readonly priority: number;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * A reconfig as a person makes it in a shell who knows MongoDB and nothing of us. A vote is only taken away where it can
 * be missed.
 *
 * @param quiet whether no fault is under way
 */
export async function handMadeReconfig(
  ground: Ground,
  { change, whom }: Act & { kind: 'reconfig' },
  quiet: boolean,
): Promise<string | null> {
  const machine = (await ground.machines(whom))[0]?.tags.machine;
  const { ha } = ground.last;
  if (!machine || ha.primary === null) return null;
  if (change === 'vote' && (!quiet || machine === ha.primary || ha.voters < 3 || ha.healthyVoters < ha.voters))
    return null;
  const changed: Record<typeof change, (member: Member) => Member> = {
    tag: (member) => ({ ...member, tags: { ...member.tags, hand: String(Math.round(whom.pick * 1000)) } }),
    priority: (member) => (member.votes === 0 ? member : { ...member, priority: 0.5 }),
    vote: (member) => ({ ...member, votes: 0, priority: 0 }),
  };
  try {
    const client = await ground.member(ha.primary);
    try {
      const admin = client.db('admin');
      const { config } = await admin.command({ replSetGetConfig: 1 });
      const mine = (member: Member) => member.tags?.machine === machine;
      const members = (config.members as Member[]).map((member) => (mine(member) ? changed[change](member) : member));
      await admin.command({ replSetReconfig: { ...config, version: config.version + 1, members }, maxTimeMS: 4000 });
    } finally {
      await client.close(true);
    }
    return `reconfig by hand: ${change} of machine ${machine}`;
  } catch (error) {
    // The primary that was seen last is off or ended meanwhile, and its disk with the certificate on it is not there.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    if (!(error instanceof MongoError)) throw error;
    // What MongoDB refuses at this moment, a person would see and leave.
    return `reconfig by hand (${change} of machine ${machine}) refused: ${error.message.split('\n')[0]}`;
  }
}
