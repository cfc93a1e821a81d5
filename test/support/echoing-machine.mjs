// Stands in for an agent in tests of what is let in to an instance: says back what it is told, on some ports of its address.
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const { address } = JSON.parse(readFileSync('metadata.json', 'utf8'));
const PORTS = [18080, 18081, 18090];

for (const port of PORTS) {
  createServer((socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  }).listen(port, address);
  const datagrams = createSocket('udp4');
  datagrams.on('message', (text, from) => datagrams.send(text, from.port, from.address));
  datagrams.bind(port, address, port === PORTS.at(-1) ? () => console.log('machine echoes') : undefined);
}
process.on('SIGTERM', () => process.exit(0));
