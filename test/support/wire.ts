import { createSocket } from 'node:dgram';
import { connect } from 'node:net';

interface From {
  /** The address that it is sent from; default what the system chooses. */
  readonly localAddress?: string;
}

const ANSWER_MS = 2000;

/** What comes back for one line sent over TCP; `refused`, `reset` or `nothing` where no answer does. */
export function lineOver(address: string, port: number, line: string, { localAddress }: From = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, ...(localAddress === undefined ? {} : { localAddress }) });
    const end = (said: string) => {
      socket.destroy();
      resolve(said);
    };
    socket.setTimeout(ANSWER_MS, () => end('nothing'));
    socket.once('connect', () => socket.write(`${line}\n`));
    socket.once('data', (data) => end(String(data).trim()));
    socket.once('end', () => end('closed'));
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      end(code === 'ECONNREFUSED' ? 'refused' : code === 'ECONNRESET' || code === 'EPIPE' ? 'reset' : String(code));
    });
  });
}

/** What comes back for one datagram; `nothing` where no answer does. */
export function datagramOver(
  address: string,
  port: number,
  text: string,
  { localAddress }: From = {},
): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const end = (said: string) => {
      clearTimeout(timer);
      socket.close();
      resolve(said);
    };
    const timer = setTimeout(() => end('nothing'), ANSWER_MS);
    socket.once('message', (answer) => end(String(answer)));
    socket.once('error', ({ code }: NodeJS.ErrnoException) => end(String(code)));
    socket.bind({ port: 0, ...(localAddress === undefined ? {} : { address: localAddress }) }, () =>
      socket.send(text, port, address),
    );
  });
}
