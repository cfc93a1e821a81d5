import { readFile } from 'node:fs/promises';
import { Pinger } from '../client/ping.js';
import { PresenceObserver } from '../state/presence-observer.js';
import { openState } from '../state/state.js';
import { environmentKey } from '../temporal/names.js';
import { AuditLog } from './audit-log.js';
import type { ControllerConfig } from './config.js';
import { Feed } from './feed.js';
import { Login } from './login.js';
import { Metrics } from './metrics/metrics.js';
import { OperationDesk } from './operation-desk.js';
import { PresenceBatch } from './presence-batch.js';
import { Reader } from './reading.js';
import { ApiServer } from './server.js';

/** Starts a controller's API server. It listens at once; what needs the database waits for it. */
export async function startController(config: ControllerConfig): Promise<{ close(): Promise<void> }> {
  const read = (file: string) => readFile(file, 'utf8');
  const { tls, stateTls, environment, machine } = config;
  const [ca, certificate, key, stateCertificate, stateKey] = await Promise.all([
    read(tls.ca),
    read(tls.certificate),
    read(tls.key),
    read(stateTls.certificate),
    read(stateTls.key),
  ]);
  const state = await openState({
    hosts: config.mongo,
    tls: { ca, certificate: stateCertificate, key: stateKey },
    serverSelectionTimeoutMS: 5000,
  });
  const reader = new Reader(state, machine);
  const feed = new Feed(state);
  const observer = new PresenceObserver(state);
  const presence = new PresenceBatch(state);
  const audit = new AuditLog(state, machine);
  const metrics = new Metrics({ config, state, observer, feed });
  const operations = new OperationDesk(state, feed, observer);
  const pinger = new Pinger(environment.uuid, ca);
  const server = new ApiServer({
    config,
    key: environmentKey(environment.name, environment.uuid),
    ca,
    tls: { ca, certificate, key },
    state,
    reader,
    feed,
    observer,
    presence,
    operations,
    pinger,
    audit,
    metrics,
    login: new Login(environment.uuid, state, reader),
  });
  await server.listen();
  return {
    close: async () => {
      metrics.close();
      operations.close();
      feed.close();
      observer.close();
      pinger.close();
      await server.close();
      await Promise.all([audit.close(), presence.close()]);
      await state.close();
    },
  };
}
