import type { Command } from 'commander';
import type { Token } from '../api/access.js';
import { withEnvironment } from './output.js';

export function configure(command: Command): void {
  withEnvironment(command)
    .option('--open', 'open it in the browser; on a terminal only')
    .addHelpText(
      'after',
      '\nPrints the address, with a login that may look and nothing else, for an hour.\n\nExamples:\n  quorate dashboard\n  quorate dashboard --open',
    )
    .action(async ({ environment, open }: { environment?: string; open?: boolean }) => {
      const { randomUUID } = await import('node:crypto');
      const { fingerprint } = await import('../pki/certificate.js');
      const { openEnvironment } = await import('./client.js');
      const { store, record, client } = await openEnvironment(environment);
      try {
        const { body } = await client.request<Token>('POST', '/v1/tokens', {
          body: { user: 'dashboard', role: 'read', hours: 1 },
          idempotencyKey: randomUUID(),
        });
        const url = pageUrl(client.addresses[0] ?? '', body);
        process.stdout.write(`${url}\n`);
        const ca = (await store.credentials(record.name))?.ca ?? '';
        process.stderr.write(
          `Good until ${new Date(body.expiresAt).toLocaleTimeString()}, for whoever has it: it may look, and change nothing.\n` +
            `Your browser has to trust the environment's CA, ${store.caFile(record.name)}\n(SHA-256 ${fingerprint(ca)}).\n`,
        );
        if (open && process.stdout.isTTY) {
          const { openPrivately } = await import('./browser.js');
          await openPrivately(store.dirs.state, url);
        }
      } finally {
        await client.close();
      }
    });
}

/** The page's address: what stands behind the # is sent to nobody. Pure. */
export function pageUrl(address: string, { token, expiresAt }: Pick<Token, 'token' | 'expiresAt'>): string {
  return `https://${address}/dashboard#${new URLSearchParams({ token, ends: expiresAt })}`;
}
