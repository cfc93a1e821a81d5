import { Pinger } from '../client/ping.js';
import { PresenceObserver } from '../state/presence-observer.js';
import { openState } from '../state/state.js';
import { environmentKey } from '../temporal/names.js';
import { AuditLog } from './audit-log.js';
import type { ControllerConfig } from './config.js';
import { Directory } from './directory.js';
import { Feed } from './feed.js';
import { Login } from './login.js';
import { Metrics } from './metrics/metrics.js';
import { OperationDesk } from './operation-desk.js';
import { PresenceBatch } from './presence-batch.js';
import { Reader } from './reading.js';
import { RollCall } from './roll-call.js';
import { ApiServer } from './server.js';
import { StatusIntake } from './status-intake.js';
import { Trust } from './trust.js';

export interface RunningController {
  /** Goes by the certificates that lie in the files now, without a connection being lost. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a controller's API server. It listens at once; what needs the database waits for it. */
export async function startController(config: ControllerConfig): Promise<RunningController> {
  const { environment, machine } = config;
  const trust = await Trust.read(config);
  const state = await openState({
    hosts: config.mongo,
    tls: trust.state,
    serverSelectionTimeoutMS: 5000,
  });
  const reader = new Reader(state, machine);
  const feed = new Feed(state);
  const observer = new PresenceObserver(state);
  const rollCall = new RollCall(() => observer.connected);
  const presence = new PresenceBatch(state, machine, rollCall);
  const directory = new Directory(state, feed);
  const audit = new AuditLog(state, machine);
  const metrics = new Metrics({ config, state, observer, feed });
  const operations = new OperationDesk(state, feed, observer);
  const statusIntake = new StatusIntake(state);
  const pinger = new Pinger(environment.uuid, trust.ca);
  const server = new ApiServer({
    config,
    key: environmentKey(environment.name, environment.uuid),
    get ca() {
      return trust.ca;
    },
    trust,
    state,
    reader,
    feed,
    observer,
    directory,
    presence,
    rollCall,
    operations,
    statusIntake,
    pinger,
    audit,
    metrics,
    login: new Login(environment.uuid, state, reader, trust),
  });
  await server.listen();
  return {
    reload: () =>
      trust.reload((tls) => {
        pinger.trust(tls.ca);
        server.useCertificates(tls);
      }),
    close: async () => {
      metrics.close();
      reader.close();
      operations.close();
      directory.close();
      feed.close();
      observer.close();
      pinger.close();
      await server.close();
      rollCall.close();
      statusIntake.close();
      await Promise.all([audit.close(), presence.close()]);
      await state.close();
    },
  };
}
