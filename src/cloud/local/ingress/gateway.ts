import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { reasonOf } from '../../../errors.js';
import { log, writeAs } from '../../../log/log.js';
import { portsText } from '../../../machines/ports.js';
import type { Opened } from '../../cloud.js';
import { Table, type Wanted } from './table.js';

/** The socket in an environment's directory, which is the gateway's working directory: so its path is never too long. */
export const SOCKET = 'ingress.sock';
/** How soon a gateway notices that its environment is gone. */
const LOOK_MS = 1000;

/**
 * The process between an environment and what is outside: it holds the public addresses of its instances and lets in what it
 * is told to. It is told by HTTP on a Unix socket that only its owner can reach: GET / says what is open, PUT / what shall be
 * open of an instance, DELETE /INSTANCE that an instance is gone. Ends by itself when its socket is not its own any more.
 */
export async function runGateway(): Promise<void> {
  writeAs({ program: 'gateway' });
  const table = new Table();
  const server = createServer((request, response) => {
    answer(table, request).then(
      (body) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body)),
      (error) => response.writeHead(500).end(reasonOf(error)),
    );
  });
  process.umask(0o077);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(SOCKET, resolve));
  const { ino } = await stat(SOCKET);
  setInterval(async () => {
    const now = await stat(SOCKET).catch(() => null);
    if (now?.ino !== ino) process.exit(0);
  }, LOOK_MS);
}

async function answer(table: Table, request: IncomingMessage): Promise<unknown> {
  switch (request.method) {
    case 'GET':
      return table.list();
    case 'PUT': {
      const wanted = JSON.parse(await textOf(request)) as Wanted;
      const { instance, version, address, rules } = wanted;
      const failures = await table.set(wanted);
      log().info({ instance, version, address, ports: rules.map(portsText), failures }, 'ports are set');
      return { address, failures } satisfies Opened;
    }
    case 'DELETE':
      await table.drop((request.url ?? '').slice(1));
      return {};
    default:
      throw new Error(`no ${request.method}`);
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
