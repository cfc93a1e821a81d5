import { type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';

/** What a server behind a proxy answered. */
export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: Buffer;
}

/** Asks the server at a target what somebody asked, and has its whole answer. */
export async function passOn(
  target: string,
  { method, url, headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  body: Buffer,
): Promise<Answered> {
  return await new Promise((resolve, reject) => {
    const passed = request(`${target}${url}`, { method, headers }, (came) => {
      whole(came).then((text) => resolve({ status: came.statusCode ?? 500, headers: came.headers, text }), reject);
    });
    passed.on('error', reject);
    passed.end(body);
  });
}

/** Passes a request on as it comes, and its answer as that comes: neither is ever held whole. */
export function stream(target: string, asked: IncomingMessage, answer: ServerResponse): void {
  const { expect: _, ...headers } = asked.headers;
  const passed = request(`${target}${asked.url}`, { method: asked.method, headers }, (came) => {
    answer.writeHead(came.statusCode ?? 500, came.headers);
    came.pipe(answer);
  });
  passed.on('error', (error) => answer.destroy(error));
  asked.pipe(passed);
}

export async function whole(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
