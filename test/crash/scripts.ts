import type { Status } from '../../src/api/status.js';

type Commands = readonly (readonly string[])[];

/** How a workflow is brought about, and what there must be in the end. */
export interface Script {
  /** Controllers of the environment before; null: it has none before. */
  readonly from: 1 | 3 | null;
  /** What is typed, one after the other. */
  readonly commands: (environment: string, before: Status | null) => Commands;
  /** What is typed after its run was terminated; the same again unless told. */
  readonly again?: (environment: string) => Commands;
  /** Controllers in the end; null: nothing at all is left. */
  readonly to: 1 | 3 | null;
  /** It runs for the environment's life: nobody types it, and a worker that starts starts it again. */
  readonly singleton?: true;
}

let interval = 300;
/** Another value each time, so that there is something to change. */
function otherInterval(): string {
  interval = interval === 300 ? 400 : 300;
  return `heartbeat-interval=${interval}ms`;
}

/** A controller that is not primary. */
const secondary = (before: Status | null): string =>
  before?.controllers.find(({ machine }) => machine !== before.ha.primary)?.machine ?? '';

const destroy = (name: string) => ['destroy-environment', name, '--yes', '--force'];
const upAndDown = { from: 1, commands: () => [['enable-ha'], ['disable-ha']], to: 1, singleton: true } as const;

/** Every workflow type that has a recorded history; one that is missing here fails the test by its name. */
export const SCRIPTS: Readonly<Record<string, Script>> = {
  bootstrap: {
    from: null,
    commands: (name) => [['bootstrap', 'local', name]],
    again: (name) => [destroy(name), ['bootstrap', 'local', name]],
    to: 1,
  },
  destroy: { from: 1, commands: (name) => [destroy(name)], to: null },
  enableHa: { from: 1, commands: () => [['enable-ha']], to: 3 },
  disableHa: { from: 3, commands: () => [['disable-ha']], to: 1 },
  configure: { from: 3, commands: () => [['config', otherInterval()]], to: 3 },
  replace: {
    from: 3,
    commands: (_, before) => [['replace', secondary(before)]],
    // The one that leaves may be on its way out already, which is not to be asked for twice.
    again: () => [['enable-ha']],
    to: 3,
  },
  switchover: { from: 3, commands: () => [['switchover']], to: 3 },
  provisioner: upAndDown,
  cleaner: upAndDown,
  sentinel: upAndDown,
};
