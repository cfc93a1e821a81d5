import type { Command } from 'commander';
import type { ApiClient } from '../client/client.js';
import { QuorateError, usageError } from '../errors.js';
import type { EnvironmentRecord, Session, Store } from '../store/store.js';
import { newPassword } from './add-user.js';
import { withEnvironment } from './output.js';
import { changeUser, userPath } from './user-requests.js';

interface Options {
  readonly environment?: string;
  readonly passwordFile?: string;
  readonly currentPasswordFile?: string;
  readonly generate?: boolean;
}

export function configure(command: Command): void {
  withEnvironment(command)
    .argument('[name]', 'the user (default: you)')
    .option('--password-file <file>', 'take the new password from a file; - for standard input')
    .option('--current-password-file <file>', 'take your present password from a file; - for standard input')
    .option('--generate', 'have a password made and shown')
    .addHelpText(
      'after',
      '\nThe user is logged out everywhere; you are logged in again at once where it is your own.\n\nExamples:\n  quorate change-password\n  quorate change-password bob --generate',
    )
    .action(async (name: string | undefined, options: Options) => {
      if (options.passwordFile === '-' && options.currentPasswordFile === '-') {
        throw usageError('no-password', 'standard input holds one password.', 'Take the other one from a file.');
      }
      const { openEnvironment } = await import('./client.js');
      const { store, record, client } = await openEnvironment(options.environment);
      try {
        const session = await store.session(record.name);
        const user = name ?? session?.user;
        if (user === undefined) {
          throw usageError(
            'no-password',
            `you are here with a certificate, which has no password.`,
            'Name a user: quorate change-password NAME',
          );
        }
        if (session?.user === user) await changeOwn(store, record, client, session, options);
        else await changeOther(client, user, options);
      } finally {
        await client.close();
      }
    });
}

async function changeOther(client: ApiClient, user: string, options: Options): Promise<void> {
  const { password, generated } = await newPassword(user, { ...options, ask: options.generate !== true });
  await changeUser(client, 'PUT', userPath(user, '/password'), { password });
  process.stdout.write(`${user} has another password and is logged out everywhere.\n`);
  if (generated) process.stdout.write(`\nPassword: ${password}\nIt is not shown again.\n`);
}

async function changeOwn(
  store: Store,
  record: EnvironmentRecord,
  client: ApiClient,
  { user }: Session,
  options: Options,
): Promise<void> {
  const { askPassword, passwordFrom } = await import('./secret-input.js');
  const current =
    options.currentPasswordFile === undefined
      ? await askPassword('Present password: ', 'Give it with --current-password-file.')
      : await passwordFrom(options.currentPasswordFile);
  const { password, generated } = await newPassword(user, { ...options, ask: options.generate !== true });
  const refused = await changeUser(client, 'PUT', userPath(user, '/password'), { password, current }).then(
    () => null,
    (error: unknown) => {
      // Done at an earlier try whose answer was lost: it voided the token that this was asked with.
      if (error instanceof QuorateError && error.code === 'bad-login') return error;
      throw error;
    },
  );
  const { logInHere } = await import('./log-in.js');
  await logInHere(store, record, { user, password }).catch((error) => {
    throw refused ?? error;
  });
  process.stdout.write(`Your password is changed; every other login of ${user} has ended.\n`);
  if (generated) process.stdout.write(`\nPassword: ${password}\nIt is not shown again.\n`);
}
