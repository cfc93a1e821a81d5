import { readdir, readFile } from 'node:fs/promises';
import type { Server } from 'node:https';
import path from 'node:path';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { QuorateError } from '../errors.js';
import { builtFile } from '../package.js';

interface Asset {
  readonly type: string;
  readonly bytes: Buffer;
}

const INDEX = 'index.html';
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * What the page may do. It connects to any controller, and which those are changes while it is open; policies know no IP
 * addresses but 127.0.0.1 either, so they are named by scheme. It asks only addresses of the set that a controller told it.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  'connect-src https: wss:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** The page of `quorate dashboard`, to whoever asks: all that it shows comes from the API, with the token that it is given. */
export function servePage(app: FastifyInstance<Server>): void {
  // Read when it is first asked for, and then from memory: nothing that is asked for is ever taken for a path.
  let assets: Promise<ReadonlyMap<string, Asset>> | null = null;
  const send = async (reply: FastifyReply, name: string) => {
    assets ??= readAssets().catch((error) => {
      assets = null;
      throw error;
    });
    const asset = (await assets).get(name);
    if (asset === undefined) throw new QuorateError('not-found', `The page has no file ${name.slice(0, 100)}.`);
    return reply
      .headers({
        'content-type': asset.type,
        'content-security-policy': POLICY,
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        // The others' names hold the hash of their contents.
        'cache-control': name === INDEX ? 'no-cache' : 'public, max-age=31536000, immutable',
      })
      .send(asset.bytes);
  };
  app.get('/dashboard', (_, reply) => send(reply as FastifyReply, INDEX));
  app.get<{ Params: { file: string } }>('/dashboard/:file', ({ params }, reply) =>
    send(reply as FastifyReply, params.file),
  );
}

async function readAssets(): Promise<ReadonlyMap<string, Asset>> {
  const directory = builtFile('page');
  const names = (await readdir(directory)).filter((name) => TYPES[path.extname(name)] !== undefined);
  return new Map(
    await Promise.all(
      names.map(async (name): Promise<[string, Asset]> => {
        const type = TYPES[path.extname(name)] ?? '';
        return [name, { type, bytes: await readFile(path.join(directory, name)) }];
      }),
    ),
  );
}
