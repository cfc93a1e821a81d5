import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { clientOf } from '../client/open.js';
import { QuorateError } from '../errors.js';
import { type EnvironmentRecord, openStore, type Session, type Store } from '../store/store.js';
import { chooseEnvironment } from './environment.js';
import { withEnvironment } from './output.js';

export function configure(command: Command): void {
  withEnvironment(command)
    .addHelpText(
      'after',
      '\nThe token is void everywhere at once. Where there is a certificate, commands use that again.\n\nExample:\n  quorate logout',
    )
    .action(async (options: { environment?: string }) => {
      const store = await openStore();
      const record = await chooseEnvironment(store, options.environment);
      const session = await store.session(record.name);
      if (session === null) {
        process.stdout.write(`Nobody is logged in to ${record.name} here.\n`);
        return;
      }
      const left = await voidToken(store, record, session);
      await store.shredSession(record.name);
      process.stdout.write(`${session.user} is logged out of ${record.name}.\n`);
      if (left !== null) process.stderr.write(`quorate: ${left}\n`);
    });
}

/** null, or a sentence about a token that could not be voided: it is forgotten here all the same. */
async function voidToken(store: Store, record: EnvironmentRecord, session: Session): Promise<string | null> {
  const ca = await store.authority(record.name);
  if (ca === null) return null;
  const client = clientOf(store, record, { tls: { ca }, token: session.token });
  try {
    await client.request('POST', '/v1/logout', { idempotencyKey: randomUUID() });
    return null;
  } catch (error) {
    if (!(error instanceof QuorateError)) throw error;
    // Void already: its time is over, or the answer to an earlier try was lost.
    if (error.code === 'bad-login') return null;
    return `the token could not be voided and ends at ${session.expiresAt}: ${error.message}`;
  } finally {
    await client.close();
  }
}
