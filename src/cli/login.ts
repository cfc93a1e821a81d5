import type { Command } from 'commander';
import { usageError } from '../errors.js';
import { openStore, type Session, type Store } from '../store/store.js';
import { withEnvironment } from './output.js';

interface Options {
  readonly environment?: string;
  readonly passwordFile?: string;
  readonly hours: string;
  readonly caFingerprint?: string;
  readonly certificate?: string;
}

const LONGEST_HOURS = 720;

export function configure(command: Command): void {
  withEnvironment(command)
    .argument('[name]', 'who you are')
    .argument('[address]', 'HOST:PORT of a controller, for an environment that this machine does not know yet')
    .option('--ca-fingerprint <sha256>', 'what the CA at that address must be; an admin tells you')
    .option('--password-file <file>', 'take the password from a file; - for standard input')
    .option('--hours <n>', `how long the login lasts, at most ${LONGEST_HOURS}`, '24')
    .option('--certificate <file>', 'be an admin by a certificate that `recover-access` made on a controller')
    .addHelpText(
      'after',
      '\nCommands use the login until it ends or `quorate logout`; without one they use the certificate of bootstrap, where there is one.\n\nExamples:\n  quorate login bob\n  quorate login bob 10.0.0.5:17070 --ca-fingerprint AB:CD:…\n  quorate login --certificate access.json',
    )
    .action(async (name: string | undefined, address: string | undefined, options: Options) => {
      const hours = Number(options.hours);
      if (!Number.isInteger(hours) || hours < 1 || hours > LONGEST_HOURS) {
        throw usageError('bad-hours', `a login lasts 1 to ${LONGEST_HOURS} hours, not '${options.hours}'.`);
      }
      if (options.certificate !== undefined) {
        if (name !== undefined)
          throw usageError('bad-login', 'the certificate says who you are.', 'Leave the name out.');
        const { loginByCertificate } = await import('./login-certificate.js');
        await loginByCertificate(await openStore(), options.certificate);
        return;
      }
      if (name === undefined) throw usageError('bad-login', 'nobody is named.', 'Type: quorate login NAME');
      if ((address === undefined) !== (options.caFingerprint === undefined)) {
        throw usageError(
          'no-fingerprint',
          'an address and the fingerprint of its CA go together.',
          'An admin sees both with `quorate add-user`; never log in without comparing.',
        );
      }
      const store = await openStore();
      const session =
        address !== undefined && options.caFingerprint !== undefined
          ? await logInThere(store, address, options.caFingerprint, name, hours, options)
          : await logInKnown(store, name, hours, options);
      process.stdout.write(`${session.user} (${session.role}) is logged in until ${session.expiresAt}.\n`);
    });
}

async function logInKnown(store: Store, user: string, hours: number, options: Options): Promise<Session> {
  const { chooseEnvironment } = await import('./environment.js');
  const { logInHere } = await import('./log-in.js');
  const record = await chooseEnvironment(store, options.environment);
  return await logInHere(store, record, { user, password: await passwordOf(user, options), hours });
}

/** Nothing is written before the environment has let the user in. */
async function logInThere(
  store: Store,
  address: string,
  fingerprint: string,
  user: string,
  hours: number,
  options: Options,
): Promise<Session> {
  const { pinAuthority } = await import('../client/pin.js');
  const { askForToken } = await import('./log-in.js');
  const { register, strangersClient } = await import('./register.js');
  const { environment: uuid, ca } = await pinAuthority(address, fingerprint);
  const place = { uuid, name: address, addresses: [address] };
  const password = await passwordOf(user, options);
  const stranger = strangersClient(place, { tls: { ca } });
  let session: Session;
  try {
    session = await askForToken(stranger, { user, password, hours });
  } finally {
    await stranger.close();
  }
  const client = strangersClient(place, { tls: { ca }, token: session.token });
  try {
    const { name } = await register(store, client);
    await store.writeSession(name, session, ca);
    return session;
  } finally {
    await client.close();
  }
}

async function passwordOf(user: string, { passwordFile }: Options): Promise<string> {
  const { askPassword, passwordFrom } = await import('./secret-input.js');
  if (passwordFile !== undefined) return await passwordFrom(passwordFile);
  return await askPassword(`Password of ${user}: `, 'Give it with --password-file.');
}
