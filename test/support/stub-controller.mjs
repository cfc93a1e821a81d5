// A controller's API as far as the client's tests need it: a process of its own that can be killed and frozen. The files
// named in argv stand for what controllers share: the published set, the changes made and the events.
import { appendFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { WebSocketServer } from 'ws';

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const lines = (file) => readFileSync(file, 'utf8').split('\n').filter(Boolean);
const read = async (request) => {
  let body = '';
  for await (const part of request) body += part;
  return body;
};

const server = createServer(
  { key: config.key, cert: config.certificate, ca: config.ca, requestCert: true },
  async (request, response) => {
    const url = new URL(request.url, 'https://stub');
    const answer = (status, body) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    const body = await read(request);
    if (url.pathname === '/v1/ping') return answer(200, { machine: config.machine });
    if (url.pathname === '/v1/addresses') return answer(200, JSON.parse(readFileSync(config.set, 'utf8')));
    if (url.pathname === '/v1/status') return answer(200, { machine: config.machine });
    if (url.pathname === '/v1/forbidden') return answer(403, { code: 'forbidden', message: 'Not you.', todo: 'Ask.' });
    if (url.pathname === '/v1/no-primary') {
      if (url.searchParams.get('at') !== config.machine) return answer(200, { machine: config.machine });
      return answer(503, { code: 'no-primary', message: 'There is no primary.', todo: '' });
    }
    if (url.pathname === '/v1/late') return setTimeout(answer, Number(url.searchParams.get('ms')), 200, {});
    if (url.pathname === '/v1/change') {
      const key = request.headers['idempotency-key'] ?? `none:${body}`;
      appendFileSync(config.seen, `${config.machine} ${key} ${body}\n`);
      if (!lines(config.done).includes(key)) appendFileSync(config.done, `${key}\n`);
      // The answer that gets lost: done, and silent about it.
      if (url.searchParams.get('mute') === config.machine) return;
      return answer(200, { machine: config.machine });
    }
    answer(404, { code: 'not-found', message: 'There is nothing.', todo: '' });
  },
);

const sockets = new WebSocketServer({ noServer: true });
server.on('upgrade', (request, socket, head) => {
  const url = new URL(request.url, 'https://stub');
  sockets.handleUpgrade(request, socket, head, (ws) => {
    if (url.pathname === '/v1/agent') {
      ws.on('message', (data) => ws.send(JSON.stringify({ from: config.machine, echo: JSON.parse(data.toString()) })));
      return;
    }
    let next = Number(url.searchParams.get('after') ?? lines(config.events).length);
    ws.send(JSON.stringify({ token: String(next), kind: 'start', id: '', document: null }));
    const timer = setInterval(() => {
      for (const line of lines(config.events).slice(next)) {
        next += 1;
        const event = line.startsWith('{')
          ? { kind: 'addresses', id: 'current', document: JSON.parse(line) }
          : { kind: 'settings', id: line, document: { by: config.machine } };
        ws.send(JSON.stringify({ token: String(next), ...event }));
      }
    }, 5);
    ws.on('close', () => clearInterval(timer));
  });
});
server.listen(config.port, config.address, () => process.stdout.write(`${server.address().port}\n`));
// Its parent holds the pipe; it ends with it.
process.stdin.on('end', () => process.exit()).resume();
