import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** From a read out of memory to a request that waits for an election. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Every figure of a controller, in the names and units that Prometheus advises. `machine` is a machine ID. */
export function define(registry: Registry) {
  const registers = [registry];
  const gauge = <L extends string = never>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge<L>({ name: `quorate_${name}`, help, labelNames, registers });
  const counter = <L extends string = never>(name: string, help: string, ...labelNames: L[]) =>
    new Counter<L>({ name: `quorate_${name}_total`, help, labelNames, registers });
  return {
    info: gauge('controller_info', 'Who answers', 'environment', 'uuid', 'machine', 'version'),

    term: gauge('replica_set_term', 'Election term of the primary that this controller sees, or saw last'),
    elections: counter('elections', 'Elections since this API server began, by the terms that it saw'),
    primarySeen: gauge('primary_seen', '1: this controller sees a primary'),
    ownMember: gauge(
      'own_member_answers',
      "1: this machine's own member told of the others; else none is told of here",
    ),
    voters: gauge('voters', 'Members with a vote'),
    healthyVoters: gauge('voters_healthy', 'Members with a vote that are primary or secondary and answer'),
    faultTolerance: gauge('fault_tolerance', 'Voters that can be lost before writes stop'),
    desired: gauge('controllers_desired', 'How many controllers the environment is to have'),
    memberState: gauge('member_state', '1: the state that a member is in', 'machine', 'state'),
    memberHealthy: gauge('member_healthy', '1: primary or secondary, and it answers', 'machine'),
    memberVote: gauge('member_vote', '1: the member votes', 'machine'),
    memberLag: gauge('member_lag_seconds', 'How far what a member applied is behind the primary', 'machine'),

    presence: gauge(
      'presence_age_seconds',
      "Since a controller's agent was heard last, by this one's clock",
      'machine',
    ),
    agentsHeard: gauge('agents_heard', 'Agents that are heard, at whichever controller'),
    agentsSilent: gauge('agents_silent', 'Agents that have not been heard for 3 seconds or more'),
    stoodUp: counter('successions_stood_up', "A controller's agent had its member stand up", 'machine'),
    freed: counter('successions_freed', "A controller's agent freed its member from a frozen source", 'machine'),
    successionOff: gauge('succession_off', '1: succession is switched off at a controller', 'machine'),
    restarts: counter('service_restarts', 'Starts of a service after its first, by its agent', 'machine', 'service'),
    running: gauge('service_running', '1: its agent sees the service run', 'machine', 'service'),
    diskFree: gauge('disk_free_bytes', "Free on a controller's disk", 'machine'),
    certificateEnds: gauge('certificate_end_timestamp_seconds', 'The first end of its certificates', 'machine'),

    requests: new Histogram({
      name: 'quorate_api_request_duration_seconds',
      help: 'Answers of the API, by route and status',
      labelNames: ['method', 'route', 'status'],
      buckets: SECONDS,
      registers,
    }),
    sockets: gauge('sockets', 'Open WebSockets of this API server', 'kind'),
    agentsConnected: gauge('agents_connected', 'Machines whose agent is connected to this API server'),
    addressVersion: gauge('address_set_version', 'Version of the published address set'),
    worker: gauge(
      'worker_metrics_up',
      "1: this machine's worker told its figures, which follow with the prefix temporal_",
    ),
  };
}

export type Figures = ReturnType<typeof define>;
