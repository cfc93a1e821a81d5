import { setTimeout as sleep } from 'node:timers/promises';
import { QuorateError } from '../../errors.js';
import { builtFile } from '../../package.js';
import { readIfThere, writePrivate } from '../../store/files.js';
import { issueControllerCertificates } from '../keys.js';
import type { Machine } from '../machine.js';
import { type Launch, type Service, SMALL_HEAP } from '../supervisor.js';
import { reloaded } from './reloaded.js';
import { workerMetricsAddress } from './worker-metrics.js';

/** `manage-environ`: the worker for the environment's workflows, and for what they do to members and agents. */
export class Worker implements Service {
  readonly name = 'worker';
  /** A worker that leaves hands its work back first. */
  readonly stopWithinMs = 1500;

  constructor(private readonly machine: Machine) {}

  async prepare(): Promise<Launch> {
    const { files, metadata, environment, id, identity, members } = this.machine;
    if ((await readIfThere(files.temporal)) === null) {
      throw new QuorateError('no-temporal', 'nobody has said yet where Temporal is');
    }
    await issueControllerCertificates(files, identity);
    const config = {
      environment,
      machine: id,
      mongo: members,
      ca: files.ca,
      stateTls: { certificate: files.state, key: files.state },
      membershipTls: { certificate: files.membership, key: files.membership },
      temporalFile: files.temporal,
      bootKeyFile: files.bootKey,
      metrics: workerMetricsAddress(metadata),
      loadedFile: files.workerLoaded,
    };
    await writePrivate(files.workerConfig, JSON.stringify(config));
    return {
      file: process.execPath,
      args: [SMALL_HEAP, builtFile('programs', 'controller-worker.js'), files.workerConfig],
    };
  }

  /** Temporal knows who polls; here, one that stays is taken to work. */
  async ready(signal: AbortSignal): Promise<void> {
    await sleep(1000, undefined, { signal });
  }

  async reload(pid: number): Promise<void> {
    const { ca, state, membership, workerLoaded } = this.machine.files;
    await reloaded(pid, workerLoaded, [ca, state, membership]);
  }
}
