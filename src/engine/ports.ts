import { randomInt } from 'node:crypto';
import net from 'node:net';
import { QuorateError } from '../errors.js';
import { holderOfPort } from './holders.js';

export const ENGINE_HOST = '127.0.0.1';

/** Below the ports that systems give to outgoing connections, so that one that was kept is free again later. */
const [LOWEST, HIGHEST] = [20_000, 29_999];

export async function freePort(except: readonly number[] = []): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(LOWEST, HIGHEST + 1);
    if (!except.includes(port) && (await isFree(port))) return port;
  }
  throw new QuorateError('no-free-port', `No free port was found on ${ENGINE_HOST} from ${LOWEST} to ${HIGHEST}.`, {
    todo: 'Give two with `quorate engine start --port N --ui-port M`.',
  });
}

/** Refuses a port that someone listens on, naming who. */
export async function requireFree(port: number, option: '--port' | '--ui-port'): Promise<void> {
  if (await isFree(port)) return;
  const holder = await holderOfPort(port);
  const who = holder === null ? 'another process' : `process ${holder.pid} (${holder.command})`;
  throw new QuorateError(
    'port-in-use',
    `Port ${port} on ${ENGINE_HOST}, which the engine needs, is in use by ${who}.`,
    {
      todo: `End that process, or start the engine on another port with \`quorate engine start ${option} N\`.`,
    },
  );
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false);
      else if (error.code === 'EACCES') {
        reject(
          new QuorateError('port-refused', `Port ${port} on ${ENGINE_HOST} may not be used by this user.`, {
            todo: 'Choose a port above 1023.',
          }),
        );
      } else reject(error);
    });
    probe.listen({ port, host: ENGINE_HOST, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** Whether anyone takes connections there. */
export function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: ENGINE_HOST });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
