import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';

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

export async function whole(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
