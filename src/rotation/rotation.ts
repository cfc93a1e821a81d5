import { agree, capital } from '../membership/words.js';
import type { AuthorityState } from '../state/authority-documents.js';

/** What is known of a machine that a rotation of the CA matters to. */
export interface MachineSeen {
  readonly id: string;
  readonly controller: boolean;
  /** Which version of what the environment trusts it says that it goes by; 0 for none yet. */
  readonly version: number;
  /** How long its agent has been silent; null where it was never heard. */
  readonly silentMs: number | null;
  /** It has fetched its certificate. */
  readonly enrolled: boolean;
  /** Its cloud says that its instance has ended, as far as the sentinel wrote that down. */
  readonly ended: boolean;
}

export interface RotationFacts {
  readonly authority: AuthorityState | null;
  /** How long its phase has lasted, by the database's clock. */
  readonly phaseMs: number;
  /** Those that are not dead. */
  readonly machines: readonly MachineSeen[];
}

export interface RotationAsked {
  /** First run ID of the change that asks. */
  readonly change: string;
  /** Leave machines behind that are silent, controllers excepted. */
  readonly force: boolean;
  /** How long certificates of both CAs are let in, at least. */
  readonly overlapMs: number;
  /** The time that machines are waited for in this phase is over. */
  readonly expired: boolean;
}

export type RotationStep =
  | { readonly kind: 'do'; readonly deed: 'make' | 'issue' | 'drop' | 'end'; readonly left: readonly string[] }
  /** `limited`: it is waited for machines, for so long and no longer. */
  | {
      readonly kind: 'wait';
      readonly phase: Exclude<AuthorityState['phase'], 'done'>;
      readonly text: string;
      readonly reason: string;
      readonly limited: boolean;
    }
  | { readonly kind: 'blocked'; readonly reason: string; readonly wayOut: string }
  | { readonly kind: 'done'; readonly text: string };

/** A beat comes every second; whoever is silent for so long is not only late. */
export const SILENT_MS = 5000;
/** A controller that is silent for so long may have to be replaced, and that must not have to wait: they have one lock. */
export const LOST_MS = 10_000;
/** The same where its cloud says that it has ended. */
const ENDED_MS = 2000;

const AGAIN = 'Then type quorate rotate-ca again: it goes on from here.';

/**
 * The next step of a rotation, from facts alone. First everything on the controllers trusts both CAs, then every machine is
 * certified by the next one, then the one before is dropped, by everybody who is there.
 */
export function nextRotationStep(facts: RotationFacts, asked: RotationAsked): RotationStep {
  const { authority } = facts;
  if (authority?.phase === 'done' && authority.change === asked.change) return { kind: 'done', text: ended(authority) };
  const lost = facts.machines.find(isLost);
  if (lost !== undefined) return lostController(lost, authority);
  if (authority === null || authority.phase === 'done') return deed('make');
  const behind = facts.machines.filter(({ version }) => version < authority.version);
  const controllers = behind.filter(({ controller }) => controller);
  switch (authority.phase) {
    case 'trusting':
      // Nobody else may have its key, and nothing was issued by it.
      if (controllers.length > 0 && !facts.machines.some(({ id, controller }) => controller && id === authority.maker))
        return deed('make');
      if (controllers.length > 0) {
        return waitFor(
          'trusting',
          controllers,
          asked,
          'trust both CAs',
          'a certificate of the next one is refused where it is unknown',
        );
      }
      return deed('issue');
    case 'issuing':
      return dropOrWait(
        facts,
        asked,
        behind.filter((machine) => hasToMove(machine, authority)),
      );
    case 'dropping': {
      if (controllers.length > 0) {
        return waitFor(
          'dropping',
          controllers,
          asked,
          'drop the CA before',
          'who knew its key could still come in there',
        );
      }
      // A machine that trusts more than it has to harms nobody but itself, and is told as soon as it is heard.
      const here = behind.filter(({ silentMs }) => silentMs !== null && silentMs <= SILENT_MS);
      if (here.length > 0 && !asked.expired) {
        return waitFor('dropping', here, asked, 'drop the CA before', 'each says so once nothing on it goes by it');
      }
      return deed('end');
    }
  }
}

/** Machines that were asked for since the next CA issues begin with it; those that are there have to be certified by it. */
function hasToMove({ id, enrolled, silentMs }: MachineSeen, { firstMachine }: AuthorityState): boolean {
  return Number(id) < firstMachine || enrolled || silentMs !== null;
}

function dropOrWait(facts: RotationFacts, asked: RotationAsked, behind: readonly MachineSeen[]): RotationStep {
  const controllers = behind.filter(({ controller }) => controller);
  const gone = behind.filter(({ controller, silentMs }) => !controller && (silentMs === null || silentMs > SILENT_MS));
  const awaited = behind.filter((machine) => !asked.force || !gone.includes(machine));
  if (controllers.length > 0 || awaited.length > 0) {
    return waitFor(
      'issuing',
      awaited,
      asked,
      'get a certificate by the next CA',
      'whoever has none is not let in any more',
    );
  }
  if (facts.phaseMs < asked.overlapMs) {
    return {
      kind: 'wait',
      phase: 'issuing',
      text: 'wait until clients that are connected have their certificates by the next CA',
      reason: `both are let in for ${Math.round(asked.overlapMs / 1000)} s at least`,
      limited: false,
    };
  }
  return deed(
    'drop',
    gone.map(({ id }) => id),
  );
}

function waitFor(
  phase: Extract<RotationStep, { kind: 'wait' }>['phase'],
  machines: readonly MachineSeen[],
  { expired }: RotationAsked,
  what: string,
  reason: string,
): RotationStep {
  if (!expired) return { kind: 'wait', phase, text: `wait until ${named(machines)} ${what}`, reason, limited: true };
  return {
    kind: 'blocked',
    reason: `${capital(named(machines))} ${agree(machines, 'does', 'do')} not ${what}: ${machines.map(whyNot).join('; ')}. Both CAs stay trusted.`,
    wayOut: machines.some(({ controller }) => controller)
      ? `See what its agent says on its console (quorate cloud list). ${AGAIN}`
      : `Bring ${agree(machines, 'it', 'them')} back, or leave behind what is silent: quorate rotate-ca --force. It goes on from here.`,
  };
}

function whyNot({ id, silentMs, enrolled }: MachineSeen): string {
  if (silentMs === null) return `${id} ${enrolled ? 'has not connected yet' : 'has not booted'}`;
  if (silentMs > SILENT_MS) return `${id} is silent for ${Math.round(silentMs / 1000)} s`;
  return `${id} is there and has not done it`;
}

function isLost({ controller, silentMs, ended }: MachineSeen): boolean {
  return controller && silentMs !== null && silentMs > (ended ? ENDED_MS : LOST_MS);
}

function lostController({ id, silentMs }: MachineSeen, authority: AuthorityState | null): RotationStep {
  const rests =
    authority === null || authority.phase === 'done'
      ? 'Nothing was begun.'
      : authority.phase === 'dropping'
        ? 'The next CA serves everywhere else.'
        : 'Both CAs stay trusted.';
  return {
    kind: 'blocked',
    reason: `Machine ${id}, a controller, is silent for ${Math.round((silentMs ?? 0) / 1000)} s, and no controller is left behind. ${rests}`,
    wayOut: `It comes back or is replaced by itself (by hand: quorate replace ${id}). ${AGAIN}`,
  };
}

const deed = (name: 'make' | 'issue' | 'drop' | 'end', left: readonly string[] = []): RotationStep => ({
  kind: 'do',
  deed: name,
  left,
});

function ended({ left }: AuthorityState): string {
  const behind =
    left.length === 0
      ? ''
      : ` ${agree(left, 'Machine', 'Machines')} ${left.join(', ')} ${agree(left, 'was', 'were')} left behind and ${agree(left, 'is', 'are')} not let in any more.`;
  return `The CA and the boot key are new; nothing trusts those before.${behind}`;
}

/** "machine 3", "machines 3, 4 and 5 more". */
function named(machines: readonly MachineSeen[]): string {
  const ids = machines.map(({ id }) => id);
  if (ids.length === 1) return `machine ${ids[0]}`;
  const shown = ids.slice(0, 8);
  const more = ids.length - shown.length;
  return `machines ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
