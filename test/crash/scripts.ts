type Commands = readonly (readonly string[])[];

/** How a workflow is brought about, and what there must be in the end. */
export interface Script {
  /** Controllers of the environment before; null: it has none before. */
  readonly from: 1 | 3 | null;
  /** What is typed, one after the other. */
  readonly commands: (environment: string) => Commands;
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
  provisioner: upAndDown,
  cleaner: upAndDown,
};
