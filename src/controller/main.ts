import { setFlagsFromString } from 'node:v8';
import { QuorateError } from '../errors.js';
import { log, writeAs } from '../log/log.js';
import { startTracing } from '../tracing/tracing.js';
import { readConfig } from './config.js';
import { startController } from './controller.js';

/** The API server's process: `api-server.js CONFIG`. Ends in order on SIGTERM, and when the agent that started it is gone. */
const LONGEST_CLOSE_MS = 1400;

// What requests leave behind is short-lived: without this the heap grows by 30 MB under load and keeps them.
setFlagsFromString('--semi-space-growth-factor=1');

async function main(file: string | undefined): Promise<void> {
  if (file === undefined) throw new Error('usage: api-server.js CONFIG');
  const config = await readConfig(file);
  writeAs({ program: 'api', machine: config.machine, environment: config.environment.name });
  const tracing = await startTracing(
    { name: 'quorate-api', machine: config.machine, environment: config.environment.name },
    (sentence) => log().warn(sentence),
  );
  const controller = await startController(config);
  log().info(`API of machine ${config.machine} on ${config.listen.address}:${config.listen.port}`);

  let leaving = false;
  const leave = (why: string) => {
    if (leaving) return;
    leaving = true;
    log().info(`API of machine ${config.machine} leaves: ${why}`);
    setTimeout(() => process.exit(0), LONGEST_CLOSE_MS).unref();
    Promise.all([controller.close(), tracing?.end()]).then(
      () => process.exit(0),
      (error) => {
        log().error({ err: error }, 'It left in disorder.');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => leave('SIGTERM'));
  process.on('SIGINT', () => leave('SIGINT'));
  process.stdin.resume();
  let reloading = Promise.resolve();
  process.on('SIGHUP', () => {
    reloading = reloading
      .then(() => controller.reload())
      .catch((error) => log().error({ err: error }, 'The certificates could not be read anew.'));
  });
  process.stdin.on('end', () => leave('its agent is gone'));
  process.stdin.on('error', () => leave('its agent is gone'));
}

main(process.argv[2]).catch((error) => {
  if (error instanceof QuorateError)
    log().fatal(`The API server could not start: ${error.message} ${error.todo}`.trimEnd());
  else log().fatal({ err: error }, 'The API server could not start.');
  process.exit(1);
});
