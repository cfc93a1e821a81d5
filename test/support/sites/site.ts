import type { MongoClient, MongoClientOptions } from 'mongodb';
import type { Cloud } from '../../../src/cloud/cloud.js';
import type { Temporal } from '../../../src/temporal/connect.js';
import type { Home } from '../home.js';

/** What an agent supervises, and the agent. */
export type Service = 'mongod' | 'agent' | 'api' | 'worker';

/** A controller's member, as the status tells of it. */
export interface MemberOf {
  readonly instance: string;
  /** host:port. */
  readonly mongo: string;
}

/**
 * Where an environment of a test lives, as one sees it who stands at the cloud's console and has a shell on every machine. It
 * has one operator, and at most one environment at a time.
 */
export interface Site {
  readonly home: Home;
  /** As `bootstrap` takes it. */
  readonly cloudName: string;
  /** By a way of its own, which no fault of the campaign's is on. */
  readonly console: Pick<Cloud, 'list' | 'start' | 'zones' | 'describe' | 'stop' | 'startAgain' | 'terminate'>;
  /** Directory of all that machines wrote, while they are there. */
  readonly machines: string;
  /** An instance's power is cut: no process gets to do anything more. It can start again. */
  powerOff(instance: string): Promise<void>;
  /** PIDs of a service of an instance, as the host counts. */
  pidsOf(instance: string, service: Service): number[];
  /** A login to a member with its machine's own certificate. */
  login(environment: string, member: MemberOf, options?: MongoClientOptions): Promise<MongoClient>;
  /** PIDs of the workers of all controllers, as the host counts. */
  workers(): number[];
  /** A connection of the caller's own to the Temporal that changes run in. */
  connect(): Promise<Temporal>;
  /** Null while it does not run. */
  temporalPid(): Promise<number | null>;
  /** Temporal and the worker beside it run. */
  startEngine(): Promise<void>;
  /** In sentences, what the cloud has of an environment that is damaged. */
  problems(environment: string): Promise<readonly string[]>;
  /** Noted while the environment is there; `left` says in sentences what of it is there still. */
  traces(name: string): Promise<{ left(): Promise<string[]> }>;
  /** Ends all of it. @param keep whether the operator's files stay */
  close(keep?: boolean): Promise<void>;
}
