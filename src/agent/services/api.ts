import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pinger } from '../../client/ping.js';
import { builtFile } from '../../package.js';
import { writePrivate } from '../../store/files.js';
import { logsOf } from '../files.js';
import { issueControllerCertificates } from '../keys.js';
import type { Machine } from '../machine.js';
import { type Launch, type Service, SMALL_HEAP } from '../supervisor.js';
import { reloaded } from './reloaded.js';
import { workerMetricsAddress } from './worker-metrics.js';

/** `manage-environ`: the API server. */
export class ApiServer implements Service {
  readonly name = 'api';
  readonly stopWithinMs = 1500;

  constructor(private readonly machine: Machine) {}

  async prepare(): Promise<Launch> {
    const { files, metadata, environment, id, identity, members } = this.machine;
    await issueControllerCertificates(files, identity);
    const config = {
      environment,
      machine: id,
      listen: { address: metadata.address, port: metadata.ports.api },
      mongo: members,
      tls: { ca: files.ca, certificate: files.own, key: files.own },
      stateTls: { certificate: files.state, key: files.state },
      caKeyFile: files.caKey,
      bootKeyFile: files.bootKey,
      temporalFile: files.temporal,
      logs: logsOf(files),
      workerMetrics: workerMetricsAddress(metadata),
      loadedFile: files.apiLoaded,
    };
    await writePrivate(files.apiConfig, JSON.stringify(config));
    return {
      file: process.execPath,
      args: [SMALL_HEAP, builtFile('programs', 'api-server.js'), files.apiConfig],
    };
  }

  async ready(signal: AbortSignal): Promise<void> {
    const pinger = new Pinger(this.machine.environment.uuid, await readFile(this.machine.files.ca, 'utf8'));
    try {
      while (!(await pinger.ping(this.machine.api, this.machine.id, 500))) await sleep(30, undefined, { signal });
    } finally {
      pinger.close();
    }
  }

  async reload(pid: number): Promise<void> {
    const { ca, own, state, apiLoaded } = this.machine.files;
    await reloaded(pid, apiLoaded, [ca, own, state]);
  }
}
