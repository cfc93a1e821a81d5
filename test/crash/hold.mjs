/**
 * Loaded into every Node process of a crash test (NODE_OPTIONS --import): lets the test hold an activity, as if its process
 * had frozen at that moment. The product knows nothing of it; the worker's own class is given one more interceptor.
 *
 * The test writes `armed.json` into $QUORATE_HOLDS, else `$QUORATE_HOME/holds`: which activity, its how manyth run, and at
 * which moment. Whoever gets there claims it by renaming the file, says so in `held.json`, and goes on once `go` is there.
 */
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { createRequire, register } from 'node:module';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

const { QUORATE_HOME: home, QUORATE_HOLDS: place = home && join(home, 'holds') } = process.env;
const program = process.argv[1] ?? '';
/** What the programs of workers are bundled from: inside a bundle nobody reaches the SDK's classes. */
const UNBUNDLED = { 'controller-worker.js': 'controller.js', 'engine-worker.js': 'engine.js' };
const unbundled = UNBUNDLED[basename(program)];

if (place && unbundled) {
  const instead = new URL(`../../dist/workers/${unbundled}`, import.meta.url);
  process.argv[1] = fileURLToPath(instead);
  // An instance's release is a link.
  const { href } = pathToFileURL(realpathSync(program));
  register('./instead.mjs', import.meta.url, { data: { url: href, instead: instead.href } });
  mkdirSync(place, { recursive: true });
  const require = createRequire(fileURLToPath(new URL('../../package.json', import.meta.url)));
  const { Worker } = require('@temporalio/worker');
  const create = Worker.create;
  Worker.create = (options) => {
    const activity = [(context) => ({ inbound: holding(place, context) }), ...(options.interceptors?.activity ?? [])];
    return create.call(Worker, { ...options, interceptors: { ...options.interceptors, activity } });
  };
}

function holding(directory, { info }) {
  return {
    async execute(input, next) {
      const moment = claim(directory, info.activityType);
      if (moment === null) return await next(input);
      const held = {
        pid: process.pid,
        namespace: pidNamespace(),
        activity: info.activityType,
        attempt: info.attempt,
        workflowId: info.workflowExecution.workflowId,
        runId: info.workflowExecution.runId,
        args: input.args,
      };
      const hold = async () => {
        writeFileSync(join(directory, 'held.tmp'), JSON.stringify(held));
        renameSync(join(directory, 'held.tmp'), join(directory, 'held.json'));
        if (moment !== 'during') while (!existsSync(join(directory, 'go'))) await sleep(10);
      };
      if (moment !== 'after') await hold();
      let outcome = 'done';
      try {
        return await next(input);
      } catch (error) {
        outcome = `failed: ${error instanceof Error ? error.message : error}`;
        throw error;
      } finally {
        if (moment === 'after') await hold();
        writeFileSync(join(directory, 'ended'), outcome);
      }
    },
  };
}

/** Whose PIDs this process's own is one of; null where there are no namespaces. */
function pidNamespace() {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return null;
  }
}

/** The moment to hold at, if this run of the activity is the one that was asked for. */
function claim(directory, activity) {
  const file = join(directory, 'armed.json');
  try {
    const armed = JSON.parse(readFileSync(file, 'utf8'));
    if (armed.activity !== activity) return null;
    // A file each, as not every worker is the same user.
    const runs = `run-${armed.id}-`;
    writeFileSync(join(directory, runs + randomUUID()), '');
    if (readdirSync(directory).filter((name) => name.startsWith(runs)).length < armed.occurrence) return null;
    renameSync(file, join(directory, `claimed-${armed.id}.json`));
    return armed.moment;
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
}
