/** A change that adds and removes nobody (any more) goes only to the nearest safe point: an odd number of voters, known to a majority. */
import { isHealthy, isVoter, votersOf } from '../facts.js';
import type { Situation } from '../situation.js';
import type { Member, Step } from '../types.js';
import { withdraw } from '../votes.js';
import { agree, capital, count, list, membersText } from '../words.js';
import { configSpreads } from './voters.js';

export function settledAtOdd(situation: Situation): Step | null {
  const { set, goal } = situation;
  const voters = votersOf(set);
  if (voters.length % 2 === 0) return null;
  const spreads = configSpreads(situation);
  if (spreads !== null) return spreads;
  const others = set.members.filter((member) => !isVoter(member));
  const there = voters.length === goal.controllers;
  const sentences = [
    (goal.primary ?? null) === null ? '' : `Machine ${goal.primary} is primary.`,
    `${count(voters.length, 'controller')} ${agree(voters, 'votes', 'vote')} (${list(voters.map((member) => member.machine ?? `member ${member.id}`))})${there ? '' : `, on the way to ${goal.controllers}`}.`,
    others.length === 0
      ? ''
      : `${capital(membersText(others))} ${agree(others, 'is a member', 'are members')} without a vote.`,
    there ? '' : 'The same command goes on from here.',
  ];
  return { kind: 'done', text: sentences.filter((sentence) => sentence !== '').join(' ') };
}

/** Nobody is ready to join or to leave: one that does not answer, or else the youngest, gives its vote back. */
export function stepBack(situation: Situation): Step | null {
  const { observed, set, goal } = situation;
  const isWanted = (member: Member) => Number(member.machine !== null && member.machine === goal.primary);
  const [last] = votersOf(set)
    .filter((member) => member.id !== set.primary)
    .sort(
      (a, b) =>
        Number(isHealthy(observed, a)) - Number(isHealthy(observed, b)) || isWanted(a) - isWanted(b) || b.id - a.id,
    );
  return last ? withdraw(situation, last, 'Nobody is added or removed, and the number of voters must be odd.') : null;
}
