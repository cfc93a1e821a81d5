import { ROUTES, type Route, type RouteName } from '../../src/api/routes.js';
import type { Random } from '../campaign/random.js';
import { bytesOf, oneOf, spoiled } from './inputs.js';

/** Good bodies, from which bad ones are made. */
const BODIES: Partial<Record<RouteName, unknown>> = {
  enrol: { machine: '1', nonce: 'n', token: 't', request: '-----BEGIN CERTIFICATE REQUEST-----\nMA==\n' },
  renew: { request: '-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n' },
  addMachines: { count: 1, constraints: { cores: 1, memMiB: 1, zones: ['a'], instanceType: 'local.small' } },
  putMaintenance: { for: '1m' },
  putSetting: { value: 'a', version: 0 },
  closeChange: { reason: 'none' },
  exec: { command: ['true', 'x'], machines: ['1', '2'], timeout: '5s', background: true },
  createToken: { user: 'program', role: 'read', days: 1, hours: 1 },
  addUser: { name: 'new', role: 'read', password: 'short' },
  grant: { role: 'write' },
  putPassword: { password: 'short', current: 'short' },
  login: { user: 'somebody', password: 'not the password', hours: 1 },
  adopt: { epoch: 7, clusterId: 'c', namespace: 'n', connection: { address: '127.0.0.1:1', namespace: 'n' } },
};

const QUERIES: Partial<Record<RouteName, string>> = {
  log: 'level=info&seconds=5&limit=10&after=a.b-c.d',
  removeMachine: 'force=true',
  settings: 'prefix=x-&after=x-a&limit=5',
  setting: 'absent=empty',
  deleteSetting: 'version=1',
  changes: 'limit=5',
  operations: 'limit=5',
  operationOutput: 'machine=1&after=-1',
  audit: 'user=ana&limit=5',
  watch: 'after=x',
};

const NAMES = ['0', '1', '2', '77', 'x-something', 'x-new', 'grace', 'somebody', 'new', 'demo-1', 'nobody'];
const ODD = [
  '%00',
  '%ff',
  '%ed%a0%80',
  '..',
  '%2e%2e',
  '%2F',
  '%252f',
  '',
  ' ',
  '*',
  '\u{1f600}',
  'x'.repeat(301),
  '%',
];

/**
 * Drawn less often: they hash a password, or they end what everybody calls with. Everybody's token ends by `logout`, so that
 * one is left to whoever has a certificate, or nothing.
 */
const RARE: ReadonlySet<string> = new Set(['addUser', 'putPassword', 'login']);

export interface Sender {
  readonly host: string;
  /** Of whoever has a token. */
  readonly token?: string;
}

/** One request as bytes, good or spoiled somewhere: its method, its path, its query, its body. */
export function requestBytes(random: Random, sender: Sender): Buffer {
  const routes = Object.entries<Route>(ROUTES).filter(([name]) => name !== 'logout' || sender.token === undefined);
  let [name, route] = oneOf(random, routes);
  if (RARE.has(name) && random.chance(0.9)) [name, route] = ['ping', ROUTES.ping];
  const method = random.chance(0.95)
    ? route.method
    : oneOf(random, ['PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'get', 'PUT']);
  const body = bodyOf(random, BODIES[name as RouteName]);
  const headers = [
    `Host: ${sender.host}`,
    ...(sender.token === undefined ? [] : [`Authorization: Bearer ${sender.token}`]),
    ...(route.change && random.chance(0.95) ? [`Idempotency-Key: ${Math.floor(random.next() * 1e9)}`] : []),
    ...(route.socket && random.chance(0.7) ? UPGRADE : []),
    ...(body === null ? [] : [`Content-Type: ${contentType(random)}`, `Content-Length: ${body.length}`]),
  ];
  const head = `${method} ${pathOf(random, route)}${queryOf(random, name as RouteName)} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'utf8'), body ?? Buffer.alloc(0)]);
}

const UPGRADE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

function pathOf(random: Random, route: Route): string {
  const named = route.path.replace(/:\w+/g, () => oneOf(random, random.chance(0.8) ? NAMES : ODD));
  return random.chance(0.03) ? `${named}/${oneOf(random, ODD)}` : named;
}

function queryOf(random: Random, name: RouteName): string {
  const query = QUERIES[name];
  if (query === undefined) return random.chance(0.05) ? `?${oneOf(random, ODD)}` : '';
  if (random.chance(0.5)) return `?${query}`;
  const odd = oneOf(random, [...ODD, '-1', '1e999', '9'.repeat(400), '[]', 'true', 'null', 'x'.repeat(5000)]);
  return `?${query.replace(/=([^&]*)/g, (whole) => (random.chance(0.5) ? `=${odd}` : whole))}${random.chance(0.1) ? `&${query}` : ''}`;
}

function contentType(random: Random): string {
  return random.chance(0.9)
    ? 'application/json'
    : oneOf(random, ['text/plain', 'application/xml', 'x', '', 'a/b; c=;']);
}

function bodyOf(random: Random, good: unknown): Buffer | null {
  // Also where none belongs.
  if (good === undefined) return random.chance(0.9) ? null : Buffer.from(spoiled(random, {}));
  const text = random.chance(0.3) ? JSON.stringify(good) : spoiled(random, good);
  return random.chance(0.05) ? bytesOf(random, 200) : Buffer.from(text);
}
