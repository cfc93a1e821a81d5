import type { ControllerStatus, Status } from '../../src/api/status.js';

/** A controller that is well and votes, but for what is said of it. */
export function controllerOf(machine: string, said: Partial<ControllerStatus> = {}): ControllerStatus {
  const member = { id: Number(machine), state: 'SECONDARY', vote: true, healthy: true, lagSeconds: 0.004 };
  return {
    machine,
    instance: `i-${machine}`,
    zone: '',
    life: 'alive',
    address: `127.0.1.${machine}`,
    api: `127.0.1.${machine}:17070`,
    mongo: `127.0.1.${machine}:37017`,
    agent: 'started',
    since: '2026-11-29T12:00:00.000Z',
    silentSeconds: 0,
    sees: [],
    member,
    services: {},
    mongod: null,
    succession: { stoodUp: 0, freed: 0, off: '' },
    maintenance: null,
    ports: [],
    ingress: null,
    agentVersion: '',
    disk: null,
    certificateEnds: '',
    evidence: null,
    ...said,
  };
}

/** An environment with these controllers; the first is the primary, but for what is said of it. */
export function statusWith(controllers: readonly ControllerStatus[], ha: Partial<Status['ha']> = {}): Status {
  return {
    environment: {
      name: 'demo',
      uuid: '',
      cloud: 'local',
      life: 'alive',
      phase: 'ha',
      temporal: { clusterId: '', namespace: 'default' },
    },
    ha: {
      desired: controllers.length,
      voters: controllers.length,
      healthyVoters: controllers.length,
      faultTolerance: 1,
      primary: controllers[0]?.machine ?? null,
      problems: [],
      ...ha,
    },
    controllers: [...controllers],
    machines: [],
    change: null,
    stale: false,
    answeredBy: '0',
  };
}
