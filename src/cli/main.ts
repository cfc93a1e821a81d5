import { Command, CommanderError } from 'commander';
import { tracingWanted } from '../tracing/wanted.js';
import { environmentLast } from './environment-option.js';
import { reportError } from './report.js';

/**
 * The command line's entry. Only the file of the command that was asked for is loaded, so that a quick command stays
 * quick; the table below is all that `--help` needs.
 */
interface Entry {
  readonly summary: string;
  /** `whole` gives the program with every command loaded, for the one command that needs it. */
  readonly load: () => Promise<{ configure(command: Command, whole: () => Promise<Command>): void }>;
}

const entries: Record<string, Entry> = {
  quickstart: {
    summary: 'an environment, made highly available, broken, and brought back',
    load: () => import('./quickstart.js'),
  },
  bootstrap: { summary: 'start a new environment', load: () => import('./bootstrap.js') },
  'enable-ha': { summary: 'change to 3, 5 or 7 controllers', load: () => import('./enable-ha.js') },
  'disable-ha': { summary: 'go back to one controller', load: () => import('./disable-ha.js') },
  replace: { summary: 'another controller in the place of one', load: () => import('./replace.js') },
  switchover: { summary: 'make another controller the primary', load: () => import('./switchover.js') },
  maintenance: { summary: 'leave a machine alone for a while', load: () => import('./maintenance.js') },
  'add-machine': { summary: 'ask for machines to run something on', load: () => import('./add-machine.js') },
  'remove-machine': { summary: 'take a machine away that is no controller', load: () => import('./remove-machine.js') },
  'retry-provisioning': {
    summary: 'try at once again to start an instance',
    load: () => import('./retry-provisioning.js'),
  },
  expose: { summary: 'let in from outside to ports of a machine', load: () => import('./expose.js') },
  unexpose: { summary: 'let nobody in to them any more', load: () => import('./unexpose.js') },
  status: { summary: 'what is there and how it is', load: () => import('./status.js') },
  machines: { summary: 'list machines', load: () => import('./machines.js') },
  'show-status-log': {
    summary: 'how a machine and its services were, and when that changed',
    load: () => import('./show-status-log.js'),
  },
  exec: { summary: 'run a command on machines', load: () => import('./exec.js') },
  operations: { summary: 'list commands that were run on machines', load: () => import('./operations.js') },
  'show-operation': { summary: 'how a command went, and what it wrote', load: () => import('./show-operation.js') },
  'cancel-operation': { summary: 'end a command that runs on machines', load: () => import('./cancel-operation.js') },
  controllers: { summary: 'list controllers', load: () => import('./controllers.js') },
  'show-controller': { summary: 'each controller in detail', load: () => import('./show-controller.js') },
  changes: { summary: 'list changes, past and running', load: () => import('./changes.js') },
  'show-change': { summary: 'the story of one change', load: () => import('./show-change.js') },
  watch: { summary: 'follow a change, or everything', load: () => import('./watch.js') },
  'debug-log': { summary: "what the controllers' programs say, merged", load: () => import('./debug-log.js') },
  config: { summary: 'read and change settings', load: () => import('./config.js') },
  'add-user': { summary: 'add a user who logs in with a password', load: () => import('./add-user.js') },
  grant: { summary: 'give a user a role: read, write or admin', load: () => import('./grant.js') },
  revoke: { summary: "take a user's role", load: () => import('./revoke.js') },
  'remove-user': { summary: 'remove a user', load: () => import('./remove-user.js') },
  users: { summary: 'list users', load: () => import('./users.js') },
  'change-password': { summary: "change your password, or a user's", load: () => import('./change-password.js') },
  login: { summary: 'log in to an environment', load: () => import('./login.js') },
  logout: { summary: 'end your login', load: () => import('./logout.js') },
  whoami: { summary: 'who you are to an environment', load: () => import('./whoami.js') },
  'audit-log': { summary: 'who changed what, and what was refused', load: () => import('./audit-log.js') },
  recover: {
    summary: 'after a majority is lost: say what each member holds, and go on with one',
    load: () => import('./recover.js'),
  },
  'rotate-ca': { summary: 'a new CA and boot key, without a gap', load: () => import('./rotate-ca.js') },
  cloud: { summary: "the cloud's control panel: instances, and faults to try", load: () => import('./cloud.js') },
  ec2: { summary: 'what EC2 needs: the IAM policy, and what lacks yet', load: () => import('./ec2.js') },
  engine: { summary: 'the embedded Temporal and its worker', load: () => import('./engine.js') },
  worker: { summary: "run the engine's worker in the foreground", load: () => import('./worker.js') },
  'destroy-environment': {
    summary: 'end an environment and all its instances',
    load: () => import('./destroy-environment.js'),
  },
  doctor: { summary: 'look for what is wrong and say what to do', load: () => import('./doctor.js') },
  singletons: {
    summary: 'which worker runs what exists once, and its hand-overs',
    load: () => import('./singletons.js'),
  },
  dashboard: { summary: 'the page of an environment, for a browser', load: () => import('./dashboard.js') },
  ui: { summary: 'the Temporal UI of an environment', load: () => import('./ui.js') },
  completion: { summary: 'shell completion for bash, zsh or fish', load: () => import('./completion.js') },
};

/** The program with one command loaded (or all of them, for completion). */
async function buildProgram(asked: string | undefined, version: string): Promise<Command> {
  const program = new Command('quorate')
    .description('A highly available control plane: it goes on when any one of its controllers is lost.')
    .version(version)
    .showSuggestionAfterError(true)
    .helpCommand('help [command]', 'help for a command')
    .addHelpText(
      'after',
      '\nEvery command about an environment takes -e NAME, before or after the command.\nStart with: quorate quickstart\nHelp for one command: quorate COMMAND --help',
    );
  for (const [name, entry] of Object.entries(entries)) {
    const command = program.command(name).description(entry.summary).exitOverride().showSuggestionAfterError(true);
    if (name === asked || asked === '*') {
      (await entry.load()).configure(command, () => buildProgram('*', version));
    }
    quietErrors(command);
    for (const sub of command.commands) quietErrors(sub.exitOverride().showSuggestionAfterError(true));
  }
  quietErrors(program.exitOverride());
  return program;
}

/** Commander's own errors are reported in our form, once, by `reportError`. */
function quietErrors(command: Command): void {
  command.configureOutput({ outputError: () => undefined });
}

async function main(argv: string[]): Promise<number> {
  const words = environmentLast(argv.slice(2));
  const asked = words[0] === 'help' ? words[1] : words.find((word) => !word.startsWith('-'));
  const { packageVersion } = await import('../package.js');
  const program = await buildProgram(asked, packageVersion());
  if (words.length === 0) {
    program.outputHelp();
    return 0;
  }
  try {
    const run = () => program.parseAsync([...argv.slice(0, 2), ...words]);
    if (tracingWanted(process.env)) await (await import('./traced.js')).traced(asked ?? 'help', run);
    else await run();
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    return reportError(error);
  }
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // `quorate status | head`: the reader left; there is nobody to tell.
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

/**
 * A command is over when it says so. Temporal's client still waits for its long poll then, or repeats a call for up to 20 s
 * and throws outside of all promises since its connection is closed: nobody who pressed Ctrl-C is to wait for that.
 */
async function end(code: number): Promise<never> {
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))));
  process.exit(code);
}

main(process.argv).then(end, (error) => end(reportError(error)));
