import type { MemberId } from './types.js';

/** What of a config decides the order of succession. */
export interface SuccessionConfig {
  readonly primary: MemberId | null;
  readonly members: readonly {
    readonly id: MemberId;
    readonly votes: number;
    readonly priority: number;
    /** The member's `zone` tag; empty when it has none. */
    readonly zone: string;
  }[];
}

/**
 * Who stands up when the primary is gone, in order: voters that can be primary, those in the primary's zone last (what took
 * the primary may have taken its zone), then by member ID. A function of the config and of who was primary, so that every
 * agent comes to the same order with nothing stored and nobody asked.
 */
export function order(config: SuccessionConfig): MemberId[] {
  const lost = config.members.find((member) => member.id === config.primary);
  const beside = (zone: string) => (lost !== undefined && zone !== '' && zone === lost.zone ? 1 : 0);
  return config.members
    .filter((member) => member.id !== config.primary && member.votes > 0 && member.priority > 0)
    .sort((a, b) => beside(a.zone) - beside(b.zone) || a.id - b.id)
    .map((member) => member.id);
}
