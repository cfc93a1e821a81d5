import type { Gauge } from 'prom-client';
import type { PresenceDocument } from '../../state/documents.js';
import type { MemberFacts } from '../facts.js';
import type { Figures } from './definitions.js';

/** A figure that nobody knows is left out, instead of being told as 0. */
export function show(figure: Gauge, value: number | null): void {
  if (value === null) figure.remove();
  else figure.set(value);
}

/** Writes what a member says of the set into the figures; null: it said nothing, and nothing old is shown. */
export function showMembers(figures: Figures, members: readonly MemberFacts[] | null): void {
  const { memberState, memberHealthy, memberVote, memberLag } = figures;
  for (const figure of [memberState, memberHealthy, memberVote, memberLag]) figure.reset();
  const votes = members?.filter(({ vote }) => vote) ?? null;
  const well = votes?.filter(({ healthy }) => healthy).length ?? null;
  show(figures.voters, votes?.length ?? null);
  show(figures.healthyVoters, well);
  show(
    figures.faultTolerance,
    votes === null || well === null ? null : Math.max(0, well - (Math.floor(votes.length / 2) + 1)),
  );
  figures.ownMember.set(members === null ? 0 : 1);
  if (members === null) return;
  for (const { machine: tag, host, state, healthy, vote, lagSeconds } of members) {
    const machine = tag ?? host;
    memberState.set({ machine, state }, 1);
    memberHealthy.set({ machine }, healthy ? 1 : 0);
    memberVote.set({ machine }, vote ? 1 : 0);
    if (lagSeconds !== null) memberLag.set({ machine }, lagSeconds);
  }
}

/** Writes what the agents of controllers report of themselves into the figures. */
export function showReports(
  figures: Figures,
  beats: readonly PresenceDocument[],
  silentMs: (machine: string) => number,
): void {
  const { presence, stoodUp, freed, successionOff, restarts, running, diskFree, certificateEnds } = figures;
  for (const figure of [presence, stoodUp, freed, successionOff, restarts, running, diskFree, certificateEnds])
    figure.reset();
  for (const { _id: machine, report } of beats) {
    presence.set({ machine }, silentMs(machine) / 1000);
    stoodUp.inc({ machine }, report.succession.stoodUp);
    freed.inc({ machine }, report.succession.freed);
    successionOff.set({ machine }, report.succession.off === '' ? 0 : 1);
    for (const [service, status] of Object.entries(report.services)) {
      restarts.inc({ machine, service }, status.restarts);
      running.set({ machine, service }, status.state === 'running' ? 1 : 0);
    }
    if (report.disk) diskFree.set({ machine }, report.disk.freeBytes);
    const ends = Date.parse(report.certificateEnds ?? '');
    if (!Number.isNaN(ends)) certificateEnds.set({ machine }, ends / 1000);
  }
}
