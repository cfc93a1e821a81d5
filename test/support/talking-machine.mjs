// Stands in for an agent in tests of an instance's isolation: a line protocol on its API port, datagrams on the same port.
import { createSocket } from 'node:dgram';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

const { address, ports } = JSON.parse(readFileSync('metadata.json', 'utf8'));
const heard = [];
const datagrams = createSocket('udp4');
datagrams.on('message', (text, from) => heard.push(`${from.address} ${text}`));
datagrams.bind(ports.api, address);

const answers = {
  echo: (text) => text,
  /** Sends a datagram to another machine. */
  send: (to, text) => new Promise((resolve) => datagrams.send(text, ports.api, to, () => resolve('sent'))),
  heard: () => heard.join(','),
  processes: () => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length,
  exists: (path) => existsSync(path),
  list: (path) => readdirSync(path).join(','),
  clock: () => Date.now(),
  /** Writes so many MiB, and says how it went. */
  write: (path, mebibytes) => {
    try {
      writeFileSync(path, Buffer.alloc(Number(mebibytes) * 2 ** 20, 7), { flush: true });
      return 'written';
    } catch (error) {
      rmSync(path, { force: true });
      return error.code;
    }
  },
};

createServer((socket) => {
  socket.on('error', () => undefined);
  const lines = createInterface({ input: socket });
  // The reader passes the socket's errors on as its own.
  lines.on('error', () => undefined);
  lines.on('line', async (line) => {
    const [verb, ...words] = line.split(' ');
    socket.write(`${await answers[verb](...words)}\n`);
  });
}).listen(ports.api, address, () => console.log('machine talks'));
process.on('SIGTERM', () => process.exit(0));
