import { createWriteStream } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EnvHttpProxyAgent, fetch, type Response } from 'undici';

/** One line for a person, replacing the line before it. */
export type Progress = (line: string) => void;

/** The server answered, but not with the file: says nothing about the network. */
export class HttpStatusError extends Error {}

/**
 * Without a network this must fail over at once, so the connection gets two seconds and the first answer four; a body may
 * take as long as it flows.
 */
async function get(url: string): Promise<Response> {
  const dispatcher = new EnvHttpProxyAgent({ connect: { timeout: 2_000 }, bodyTimeout: 30_000 });
  const answerDeadline = new AbortController();
  const timer = setTimeout(() => answerDeadline.abort(new Error('no answer within 4 s')), 4_000);
  try {
    const response = await fetch(url, { dispatcher, signal: answerDeadline.signal });
    if (!response.ok) throw new HttpStatusError(`${new URL(url).host} answered ${response.status}`);
    return response;
  } finally {
    clearTimeout(timer);
  }
}

export async function downloadText(url: string): Promise<string> {
  return (await get(url)).text();
}

export async function downloadFile(url: string, file: string, title: string, onProgress: Progress): Promise<void> {
  const response = await get(url);
  if (response.body === null) throw new HttpStatusError(`${new URL(url).host} answered with nothing`);
  const total = Number(response.headers.get('content-length') ?? 0);
  let received = 0;
  let shownAt = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      if (Date.now() - shownAt > 250) {
        shownAt = Date.now();
        onProgress(downloadLine(title, received, total));
      }
      done(null, chunk);
    },
  });
  await pipeline(Readable.fromWeb(response.body), counter, createWriteStream(file));
  if (total > 0 && received !== total) throw new Error(`the download broke off at ${received} of ${total} bytes`);
}

export function downloadLine(title: string, received: number, total: number): string {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
  return `Downloading ${title}: ${megabytes(total > 0 ? Math.min(received, total) : received)}${total > 0 ? ` of ${megabytes(total)}` : ''} MB`;
}
