import type { ObjectId, TopologyDescription } from 'mongodb';

/** The election term in a primary's election ID, whose last eight bytes it is; null for none. */
export function termOf(electionId: ObjectId | null | undefined): number | null {
  return electionId == null ? null : Number(BigInt(`0x${electionId.toHexString().slice(8)}`));
}

/** The term of the primary as the driver sees the set; null while it sees none. */
export function termSeen({ servers }: Pick<TopologyDescription, 'servers'>): number | null {
  for (const { type, electionId } of servers.values()) if (type === 'RSPrimary') return termOf(electionId);
  return null;
}

/** Counts elections by the terms that are seen: every election has a higher one than the last. */
export class Terms {
  #term: number | null = null;
  #elections = 0;

  /** To be called with every term that is seen. One that is lower is an old primary's, not yet told. */
  see(term: number | null): void {
    if (term === null || (this.#term !== null && term <= this.#term)) return;
    if (this.#term !== null) this.#elections += term - this.#term;
    this.#term = term;
  }

  /** The highest that was seen; null before any was. */
  get term(): number | null {
    return this.#term;
  }

  /** Since the first term was seen; a term whose election nobody won counts too. */
  get elections(): number {
    return this.#elections;
  }
}
