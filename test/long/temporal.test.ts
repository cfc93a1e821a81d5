/**
 * An environment on a Temporal of one's own that asks who comes: by client certificates, by API keys. TLS and the rules are those of
 * a front (test/support/temporal-front.ts) before a real server; what registers search attributes is refused, as on Temporal Cloud.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAuthority } from '../../src/pki/authority.js';
import { registerSearchAttributes } from '../../src/temporal/attributes.js';
import { connectTemporal } from '../../src/temporal/connect.js';
import { GRPC } from '../../src/temporal/refusals.js';
import { connectedTo } from '../support/connections.js';
import { Home, type Run, until } from '../support/home.js';
import { COMMANDS } from '../support/programs.js';
import { ownTemporal } from '../support/temporal.js';
import { FRONT_NAME, type Refused, TemporalFront } from '../support/temporal-front.js';

const home = new Home();
const UNAUTHORIZED: Refused = { code: GRPC.permissionDenied, message: 'Request unauthorized.' };
const NOT_HERE: Refused = { code: GRPC.unimplemented, message: 'unknown service OperatorService' };
/** host:port of the server itself, which only the test reaches past the fronts. */
let server = '';
let byCertificate: TemporalFront;
let byKey: TemporalFront;
/** The only key that is let in. */
let accepted = 'first-key';

const file = (name: string, text: string): string => {
  const path = join(home.dir, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};

/** The Temporal client configuration of the commands that follow: these variables and no others. */
function configure(variables: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(home.env)) if (name.startsWith('TEMPORAL_')) delete home.env[name];
  Object.assign(home.env, variables);
}

const withCertificate = () => ({
  TEMPORAL_ADDRESS: byCertificate.address,
  TEMPORAL_TLS_SERVER_NAME: FRONT_NAME,
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(home.dir, 'front.crt'),
  TEMPORAL_TLS_CLIENT_CERT_PATH: join(home.dir, 'client.crt'),
  TEMPORAL_TLS_CLIENT_KEY_PATH: join(home.dir, 'client.key'),
});
const withKey = (key: string) => ({
  TEMPORAL_ADDRESS: byKey.address,
  TEMPORAL_API_KEY: key,
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: join(home.dir, 'key-front.crt'),
});

beforeAll(async () => {
  server = (await ownTemporal(home)).address;
  byCertificate = await TemporalFront.start(server, { mutual: true });
  byKey = await TemporalFront.start(server, { mutual: false });
  byCertificate.refuses = ({ service }) => (service === 'OperatorService' ? NOT_HERE : null);
  byKey.refuses = ({ service, key }) => (key !== accepted || service === 'OperatorService' ? UNAUTHORIZED : null);
  const { certificate, key } = await byCertificate.client();
  file('front.crt', byCertificate.ca);
  file('key-front.crt', byKey.ca);
  file('client.crt', certificate);
  file('client.key', key);
}, 120_000);

afterAll(async () => {
  await home.close();
  await byCertificate?.stop();
  await byKey?.stop();
}, 120_000);

/** Refused before anything is written or started. */
async function refused(...args: string[]): Promise<string> {
  const { code, stdout, stderr }: Run = await home.run(...args);
  expect(code, stdout).toBe(1);
  expect(stdout).toBe('');
  return stderr;
}
const nothingIsThere = async () => {
  expect(await home.ok('status').catch(String)).toMatch(/no environment/i);
  expect(home.processes().filter(({ command }) => !/start-dev/.test(command))).toEqual([]);
};

test('what cannot get in is refused in words, and nothing is begun', async () => {
  const { TEMPORAL_TLS_CLIENT_CERT_PATH: _, TEMPORAL_TLS_CLIENT_KEY_PATH: __, ...nobody } = withCertificate();
  configure(nobody);
  expect(await refused('bootstrap', 'local', 'demo')).toMatch(
    /asks for a client certificate.*TEMPORAL_TLS_CLIENT_CERT_PATH/s,
  );
  const other = await createAuthority('other');
  configure({ ...withCertificate(), TEMPORAL_TLS_SERVER_CA_CERT_PATH: file('other.crt', other.certificate) });
  expect(await refused('bootstrap', 'local', 'demo')).toMatch(
    /CA that is not trusted here.*TEMPORAL_TLS_SERVER_CA_CERT_PATH/s,
  );
  configure({ ...withCertificate(), TEMPORAL_TLS_SERVER_NAME: 'elsewhere.test' });
  expect(await refused('bootstrap', 'local', 'demo')).toMatch(/for another name.*TEMPORAL_TLS_SERVER_NAME/s);
  configure({ ...withCertificate(), TEMPORAL_NAMESPACE: 'nowhere' });
  expect(await refused('bootstrap', 'local', 'demo')).toMatch(
    /no namespace "nowhere".*temporal operator namespace create/s,
  );
  configure(withKey('wrong-key'));
  expect(await refused('bootstrap', 'local', 'demo')).toMatch(
    /refuses this client in its namespace "default": .*Request unauthorized\..*API key/s,
  );
  await nothingIsThere();
}, 600_000);

test('whoever may look and start nothing is told so, and nothing is left of the bootstrap', async () => {
  configure(withKey(accepted));
  const rules = byKey.refuses;
  byKey.refuses = (call) => (call.name === 'StartWorkflowExecution' ? UNAUTHORIZED : rules(call));
  const { code, stderr } = await home.run('bootstrap', 'local', 'demo');
  byKey.refuses = rules;
  expect(code).toBe(1);
  expect(stderr).toMatch(/Request unauthorized/);
  await home.ok('engine', 'stop');
  await nothingIsThere();
}, 600_000);

test('where machine 0 does not reach it the bootstrap ends, and says so', async () => {
  configure(withCertificate());
  const port = Number(byCertificate.address.split(':')[1]);
  const agents = () => home.processes().filter(({ command }) => COMMANDS.agent.test(command));
  // As a security group that lets the operator in and machines not.
  byCertificate.admits = () => agents().every(({ pid }) => connectedTo(pid, port).length === 0);
  const { code, stdout, stderr } = await home.run('bootstrap', 'local', 'demo');
  byCertificate.admits = () => true;
  expect(code).toBe(1);
  expect(`${stdout}${stderr}`).toMatch(
    /Machine 0 \(127\..*\) cannot use Temporal: Temporal at 127\.0\.0\.1:.* cannot be reached: .*Let the machine through to that address/s,
  );
  expect(stderr).toMatch(/quorate destroy-environment demo --force/);
  await home.ok('destroy-environment', 'demo', '--force', '--yes');
  await home.ok('engine', 'stop');
  await nothingIsThere();
}, 600_000);

test('by client certificates: from nothing to a controller; who has to register search attributes is said', async () => {
  configure(withCertificate());
  const { code, stderr } = await home.run('bootstrap', 'local', 'demo');
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(
    /may not register search attributes.*temporal operator search-attribute create .*--name QuoratePhase --type Keyword/,
  );
  expect(stderr).toMatch(/tcld namespace search-attributes add -n default --sa QuorateEnvironment=Keyword/);
  expect((await home.run('doctor')).stdout.replace(/\s+/g, ' ')).toMatch(
    /lacks the search attributes QuorateEnvironment, QuoratePhase, QuorateControllers/,
  );
}, 600_000);

test('once somebody has registered them they are used, though nobody here may ask for them', async () => {
  const temporal = await connectTemporal({ target: { address: server, namespace: 'default' } });
  try {
    expect(await registerSearchAttributes(temporal)).toBeNull();
    await home.ok('config', 'heartbeat-interval=600ms');
    await until('the change to be found by its environment', async () => {
      const query = 'QuorateEnvironment = "demo" AND WorkflowType = "configure"';
      return (await temporal.client.workflow.count(query)).count === 1;
    });
  } finally {
    await temporal.connection.close();
  }
}, 600_000);

test('moved to an address with API keys, and given a new key after the old one has ended', async () => {
  configure(withKey(accepted));
  expect(await refused('enable-ha')).toMatch(/belongs to the Temporal at .*quorate engine adopt -e demo/s);
  expect(await home.ok('engine', 'adopt')).toMatch(/demo stays in this Temporal.*told anew/);
  await home.ok('config', 'heartbeat-interval=700ms');

  const old = accepted;
  accepted = 'second-key';
  byKey.cut();
  expect(await refused('enable-ha')).toMatch(/refuses this client.*Request unauthorized.*engine adopt/s);
  expect((await home.status()).ha).toMatchObject({ voters: 1, healthyVoters: 1 });
  configure(withKey(accepted));
  expect(await home.ok('engine', 'adopt')).toMatch(/demo stays in this Temporal.*told anew/);
  await home.ok('config', 'heartbeat-interval=800ms');
  const seen: (string | null)[] = [];
  const rule = byKey.refuses;
  byKey.refuses = (call) => {
    seen.push(call.key);
    return rule(call);
  };
  await until('everybody to have come again', async () => seen.length > 50);
  expect(seen).not.toContain(old);
}, 600_000);

test('moved back, to three controllers, all by client certificates, and back to nothing', async () => {
  configure(withCertificate());
  expect(await home.ok('engine', 'adopt')).toMatch(/demo stays in this Temporal.*told anew/);
  await home.ok('enable-ha');
  expect((await home.status()).ha).toMatchObject({ voters: 3, healthyVoters: 3 });
  await home.ok('destroy-environment', 'demo', '--yes');
  // Each Temporal has a worker of its own here.
  await home.ok('engine', 'stop');
  configure(withKey(accepted));
  await home.ok('engine', 'stop');
  await nothingIsThere();
}, 600_000);
