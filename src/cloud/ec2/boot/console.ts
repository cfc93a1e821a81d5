import type { BootSeen } from '../../cloud.js';

/** A step of a boot that is behind the machine, and what it said of it. */
export interface BootStep {
  readonly name: string;
  readonly said: string;
}

/** How far an instance's boot is, by its console. */
export interface BootProgress {
  /** Of the last run, in order. */
  readonly steps: readonly BootStep[];
  /** What the last run ended with, if it failed; systemd runs it again in ten seconds. */
  readonly failed: { readonly step: string; readonly reason: string } | null;
  /** The agent runs. */
  readonly done: boolean;
}

const LINE = /quorate-boot: (?:(STEP|FAILED) ([a-z-]+): (.*)|(DONE))$/;
/** What terminals are told, and what ends a line on a serial line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: consoles hold them
const CONTROLS = /\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f]/g;

/** What boot/quorate-boot said on a console, whatever stands before it in the line and between. Pure. */
export function bootProgress(console: string): BootProgress {
  let steps: BootStep[] = [];
  let failed: BootProgress['failed'] = null;
  let done = false;
  for (const line of console.split('\n')) {
    const [, kind, name = '', said = '', end] = LINE.exec(line.replace(CONTROLS, '').trimEnd()) ?? [];
    if (end !== undefined) {
      done = true;
      failed = null;
    }
    if (kind === undefined) continue;
    if (kind === 'FAILED') {
      failed = { step: name, reason: said };
      done = false;
      continue;
    }
    // A run that follows another begins anew; what failed is over once a run comes past it.
    if (steps.some((step) => step.name === name)) {
      steps = steps.slice(
        0,
        steps.findIndex((step) => step.name === name),
      );
      done = false;
    }
    steps.push({ name, said });
    if (failed?.step === name) failed = null;
  }
  return { steps, failed, done };
}

const DOES: Readonly<Record<string, string>> = {
  begin: 'lay out what boots it',
  system: 'be prepared',
  metadata: 'learn from the metadata service who it is',
  'user-data': 'take its user data',
  node: 'get Node',
  mongod: 'get mongod',
  agent: 'get Quorate’s package',
  release: 'run what it got',
  service: 'start its agent',
};

/** Why an instance does not come up, for a person; null where its console says nothing of the kind. Pure. */
export function bootFault(console: string): string | null {
  const { failed } = bootProgress(console);
  if (failed === null) return null;
  const { step, reason } = failed;
  return `The instance boots and cannot ${DOES[step] ?? `do its step ${step}`}: ${reason.replace(/\.$/, '')}.`;
}

/** The same as whoever waits for the machine is told. Pure. */
export function bootSeen(console: string): BootSeen {
  const { steps, done } = bootProgress(console);
  const last = steps.at(-1);
  return { step: last === undefined ? '' : `${last.name}: ${last.said}`, fault: bootFault(console) ?? '', done };
}
