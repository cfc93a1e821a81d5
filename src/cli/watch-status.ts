import type { Status } from '../api/status.js';
import type { ApiClient } from '../client/client.js';

/**
 * Shows the status again whenever something in the environment changes, until Ctrl-C. On a terminal it is redrawn in
 * place; elsewhere, and for programs (`text` null), each is printed after the other, one JSON object a line.
 */
export async function watchStatus(
  client: ApiClient,
  read: () => Promise<Status>,
  text: ((status: Status) => Promise<string>) | null,
): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const show = await shower(text);
  await show(await read());
  // Presence changes with every beat: the screen follows events, at most four times a second, and once a second besides.
  let due = false;
  const events = (async () => {
    for await (const _ of client.watch({ signal: stop.signal })) due = true;
  })();
  const ticks = setInterval(() => {
    due = true;
  }, 1000);
  try {
    while (!stop.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      if (!due || stop.signal.aborted) continue;
      due = false;
      const status = await read().catch((error) => {
        if (stop.signal.aborted) return null;
        throw error;
      });
      if (status) await show(status);
    }
    await events;
  } finally {
    clearInterval(ticks);
    stop.abort();
  }
}

async function shower(text: ((status: Status) => Promise<string>) | null): Promise<(status: Status) => Promise<void>> {
  let previous = '';
  const fresh = (printed: string) => {
    const changed = printed !== previous;
    previous = printed;
    return changed;
  };
  if (text === null) {
    return async (status) => {
      const line = JSON.stringify(status);
      if (fresh(line)) process.stdout.write(`${line}\n`);
    };
  }
  if (!process.stdout.isTTY) {
    return async (status) => {
      const block = await text(status);
      if (fresh(block)) process.stdout.write(`${block}\n\n`);
    };
  }
  const { default: logUpdate } = await import('log-update');
  return async (status) => logUpdate(await text(status));
}
