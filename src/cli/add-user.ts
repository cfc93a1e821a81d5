import type { Command } from 'commander';
import { fingerprint } from '../pki/certificate.js';
import type { EnvironmentRecord, Store } from '../store/store.js';
import { formatOf, type OutputOptions, print, withEnvironment, withFormat } from './output.js';
import { changeUser, roleNamed } from './user-requests.js';

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly role: string;
  readonly passwordFile?: string;
  readonly ask?: boolean;
}

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .argument('<name>', 'the new user')
    .option('--role <role>', 'read, write or admin', 'read')
    .option('--ask', 'type the password instead of having one made')
    .option('--password-file <file>', 'take the password from a file; - for standard input')
    .addHelpText(
      'after',
      '\nA password is made and shown, once, unless you give one. It is never an argument: those are seen by everybody on the machine.\n\nExamples:\n  quorate add-user bob\n  quorate add-user bob --role write --ask',
    )
    .action(async (name: string, options: Options) => {
      const role = roleNamed(options.role);
      formatOf(options);
      const { password, generated } = await newPassword(name, options);
      const { openEnvironment } = await import('./client.js');
      const { store, record, client } = await openEnvironment(options.environment);
      try {
        const user = await changeUser(client, 'POST', '/v1/users', { name, role, password });
        const how = await howToLogIn(store, record, name);
        await print({ ...user, ...(generated ? { password } : {}), ...how }, options, () =>
          [
            `${name} may ${role} ${record.name}.`,
            ...(generated ? ['', `Password: ${password}`, 'It is not shown again.'] : []),
            '',
            `On this machine:  quorate login ${name} -e ${record.name}`,
            `On another one:   quorate login ${name} ${how.address} --ca-fingerprint ${how.caFingerprint}`,
          ].join('\n'),
        );
      } finally {
        await client.close();
      }
    });
}

/** The password that a user gets: made, typed or read. */
export async function newPassword(
  name: string,
  options: Pick<Options, 'passwordFile' | 'ask'>,
): Promise<{ readonly password: string; readonly generated: boolean }> {
  const { askNewPassword, generatedPassword, passwordFrom } = await import('./secret-input.js');
  if (options.passwordFile !== undefined) {
    return { password: await passwordFrom(options.passwordFile), generated: false };
  }
  if (options.ask !== true) return { password: generatedPassword(), generated: true };
  return { password: await askNewPassword(name, 'Give it with --password-file.'), generated: false };
}

/** What somebody on another machine needs to know, none of it secret. */
async function howToLogIn(store: Store, record: EnvironmentRecord, name: string) {
  const ca = await store.authority(record.name);
  // The record as it is now: the set may have been refreshed on the way.
  const { addresses } = (await store.readEnvironment(record.name)) ?? record;
  const address = addresses.servers[0]?.api ?? '';
  return { login: name, address, caFingerprint: ca === null ? '' : fingerprint(ca) };
}
