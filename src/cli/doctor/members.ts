import type { Reach } from '../../api/reach.js';
import type { Status } from '../../api/status.js';
import { type Judged, well, wrong } from './finding.js';

/** Voters, members and machines against each other. Pure. */
export function judgeMembers(status: Status, reaches: readonly Reach[]): readonly Judged[] {
  const { environment, ha, controllers, change } = status;
  const judged: Judged[] = [];
  const { name } = environment;
  if (ha.voters > 1 && ha.voters % 2 === 0 && change === null) {
    judged.push(
      wrong(
        `${ha.voters} members vote, an even number, and no change runs: it is no safer than one fewer`,
        `Go on with: quorate enable-ha -e ${name}      or back with: quorate disable-ha -e ${name}`,
      ),
    );
  }
  const known = new Set(controllers.map(({ machine }) => machine));
  const members = new Map(reaches.flatMap(({ members }) => members.map((member) => [member.id, member])));
  for (const { id, host, machine, state } of members.values()) {
    if (machine !== null && known.has(machine)) continue;
    judged.push(
      wrong(
        `member ${id} at ${host} (${state}) belongs to no machine: somebody added it by hand, or its machine is gone`,
        `The next change takes it out: quorate enable-ha -e ${name}`,
      ),
    );
  }
  for (const { machine, life, member } of controllers) {
    if (member !== null || life !== 'alive' || change !== null || status.stale) continue;
    judged.push(
      wrong(`machine ${machine} is a controller and has no member`, `Finish it with: quorate enable-ha -e ${name}`),
    );
  }
  if (judged.length > 0) return judged;
  return [
    well(
      `${ha.healthyVoters} of ${ha.voters} voters well, primary machine ${ha.primary ?? 'none'}${change ? `; ${change.kind} runs` : ''}`,
    ),
  ];
}

/** What other checks say more of. */
const SAID_ELSEWHERE = [/an even number/, /belongs to no known machine/, /not reach/];

/** The problems that the environment itself tells. Pure. */
export function judgeProblems({ environment, ha, stale }: Status): readonly Judged[] {
  const told = ha.problems.filter((problem) => !SAID_ELSEWHERE.some((pattern) => pattern.test(problem)));
  const todo = `Look closer with: quorate status -e ${environment.name}`;
  if (told.length > 0) return told.map((problem) => wrong(problem.replace(/\.$/, ''), todo));
  return [
    well(`the environment is ${environment.phase} and tells of no problem${stale ? '; no majority answers' : ''}`),
  ];
}
