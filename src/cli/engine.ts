import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { type OutputOptions, print, withEnvironment, withFormat } from './output.js';
import { telling } from './servers.js';

/** `quorate engine`: the embedded Temporal, with its UI and its worker, on this machine. */
export function configure(command: Command): void {
  command.addHelpText(
    'after',
    '\nWhere Temporal is configured (TEMPORAL_ADDRESS or a profile), that one is used and only the worker runs here.\n\nExamples:\n  quorate engine start\n  quorate engine status --format json\n  quorate engine stop',
  );
  command
    .command('start')
    .description('start it, or see that it runs')
    .option('--port <port>', 'for clients (default: a free one, kept)', port)
    .option('--ui-port <port>', 'for the UI (default: a free one, kept)', port)
    .addHelpText('after', '\nExample:\n  quorate engine start --ui-port 8233')
    .action(async (options: { port?: number; uiPort?: number }) => {
      const { engine, store } = await load();
      const running = await engine.ensureEngine(store.dirs, { ...options, ...telling });
      const { noteSearchAttributes } = await import('./temporal.js');
      noteSearchAttributes(running);
      process.stdout.write(
        `Temporal is up: ${running.address}, namespace ${running.namespace}${running.uiUrl ? `\nUI: ${running.uiUrl}` : ''}\n`,
      );
    });
  command
    .command('stop')
    .description('stop it; environments go on, their changes wait')
    .addHelpText('after', '\nExample:\n  quorate engine stop')
    .action(async () => {
      const { engine, store } = await load();
      const stopped = await engine.stopEngine(store.dirs);
      process.stdout.write(
        stopped
          ? 'Temporal is stopped. Environments go on serving; changes and healing rest until: quorate engine start\n'
          : 'Temporal was not running.\n',
      );
    });
  withEnvironment(
    command.command('adopt').description('move an environment to this Temporal: its own is lost, or left behind'),
  )
    .addHelpText(
      'after',
      '\nNeeds a majority of the controllers. Workers of the other Temporal are refused from then on; changes that ran there have ended.\n\nExample:\n  quorate engine adopt -e demo',
    )
    .action(async (options: { environment?: string }) => {
      const { engine, store } = await load();
      const [{ adoptEnvironment }, { chooseEnvironment }, { connectEngine }] = await Promise.all([
        import('./adopt.js'),
        import('./environment.js'),
        import('./temporal.js'),
      ]);
      const record = await chooseEnvironment(store, options.environment);
      const here = await engine.ensureEngine(store.dirs, telling);
      const temporal = await connectEngine(here);
      try {
        const { epoch, already } = await adoptEnvironment(store, record, here, temporal);
        const what = already
          ? 'stays in this Temporal, and its controllers were told anew how to reach it'
          : 'is moved';
        process.stdout.write(
          `${record.name} ${what}: ${here.address}, namespace ${here.namespace}, epoch ${epoch}. Changes run here from now on.\n`,
        );
      } finally {
        await temporal.connection.close();
      }
    });
  withFormat(command.command('status').description('what runs, and where'))
    .addHelpText('after', '\nExample:\n  quorate engine status')
    .action(async (options: OutputOptions) => {
      const { engine, store } = await load();
      const status = await engine.engineStatus(store.dirs);
      await print(status, options, () =>
        Object.entries(status)
          .map(([key, value]) => `${key.padEnd(12)} ${typeof value === 'object' ? JSON.stringify(value) : value}`)
          .join('\n'),
      );
    });
}

async function load() {
  const [engine, { openStore }] = await Promise.all([import('../engine/engine.js'), import('../store/store.js')]);
  return { engine, store: await openStore() };
}

function port(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  throw new InvalidArgumentError('A port is a whole number from 1 to 65535.');
}
