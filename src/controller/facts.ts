import type {
  ChangeDocument,
  EnvironmentDocument,
  EvidenceDocument,
  MachineDocument,
  PresenceDocument,
  TokenDocument,
} from '../state/documents.js';

/** One member as the replica set reports it. */
export interface MemberFacts {
  readonly id: number;
  /** The machine of its tag; null when it has none. */
  readonly machine: string | null;
  readonly host: string;
  readonly vote: boolean;
  readonly state: string;
  /** It answers whoever reported, and is PRIMARY or SECONDARY. */
  readonly healthy: boolean;
  readonly lagSeconds: number | null;
}

/** Everything that the status is computed from. */
export interface Facts {
  /** Machine ID of the controller that looked. */
  readonly self: string;
  /** Read from one member, as there is no majority. */
  readonly stale: boolean;
  /** host:port of the primary that members name which this controller reaches, while it does not reach that one itself. */
  readonly primaryElsewhere: string | null;
  readonly environment: EnvironmentDocument;
  readonly machines: readonly MachineDocument[];
  readonly presence: readonly PresenceDocument[];
  /** How long each agent has been silent, on the observer's own clock. */
  readonly silentMs: Readonly<Record<string, number>>;
  readonly running: readonly ChangeDocument[];
  /** Boot tokens that another key tried to use. */
  readonly refused: readonly TokenDocument[];
  readonly members: readonly MemberFacts[];
  /** The time of the member that was asked: dates in documents are the database's. */
  readonly databaseTime: Date;
  /** What the sentinel wrote last; null before it ever looked. */
  readonly evidence: EvidenceDocument | null;
}
