import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Authority, createAuthority, issueWithKey, mongoSubject, type Subject } from '../../src/pki/authority.js';
import { dirsOf } from '../../src/store/dirs.js';
import { findServer } from '../../src/toolchain/find.js';

/** What a real mongod makes of our certificates: members of one another, users, or nobody. */

const UUID = '5e0c2f0e-6a1f-4c62-9c59-3f4a8f6a9a01';
const ADDRESSES = ['127.0.0.1', '127.0.0.2'];
let dir: string;
let authority: Authority;
let hosts: string[];
const children: ChildProcess[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'quorate-pki-'));
  authority = await createAuthority(UUID);
  await writeFile(join(dir, 'ca.crt'), authority.certificate);
  const mongod = await findServer('mongod', { cacheDir: dirsOf(process.env).toolchain });
  hosts = await Promise.all(ADDRESSES.map(async (address) => `${address}:${await freePort(address)}`));
  for (const [id, host] of hosts.entries()) {
    const [address, port] = host.split(':') as [string, string];
    const certificate = await pemFile(`member-${id}`, { cn: `machine-${id}`, ou: 'member', o: UUID }, [address]);
    const data = join(dir, `data-${id}`);
    await mkdir(data);
    children.push(
      spawn(
        mongod.path,
        [
          ...['--dbpath', data, '--logpath', join(dir, `mongod-${id}.log`), '--bind_ip', address, '--port', port],
          ...['--replSet', 'juju', '--tlsMode', 'requireTLS', '--clusterAuthMode', 'x509'],
          ...[
            '--tlsCAFile',
            join(dir, 'ca.crt'),
            '--tlsCertificateKeyFile',
            certificate,
            '--wiredTigerCacheSizeGB',
            '0.25',
          ],
        ],
        { stdio: 'ignore' },
      ),
    );
  }
});

afterAll(async () => {
  await Promise.all(
    children.map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    }),
  );
  await rm(dir, { recursive: true, force: true });
});

test('members form a set, a service is the user of its subject, others are nobody', async () => {
  const member: Subject = { cn: 'machine-0', ou: 'member', o: UUID };
  const service: Subject = { cn: 'state', ou: 'service', o: UUID };
  // The set is refused where one of its members does not answer yet.
  const [asMember, other] = (await Promise.all(
    hosts.map(async (host, id) => connect(host, await pemFile(`as-member-${id}`, member), true)),
  )) as [MongoClient, MongoClient];
  await other.close();
  // One of them votes: it is primary at once, and stays it however busy the machine is.
  const members = hosts.map((host, _id) => ({ _id, host, ...(_id === 0 ? {} : { votes: 0, priority: 0 }) }));
  await asMember.db('admin').command({ replSetInitiate: { _id: 'juju', members } });
  await asMember.close();

  const whole = await connect(hosts.join(','), await pemFile('whole', member), false);
  await whole.db('$external').command({
    createUser: mongoSubject(service),
    roles: [{ role: 'readWrite', db: 'quorate' }],
    writeConcern: { w: 2, wtimeout: 30_000 },
  });
  await whole.close();

  const asService = await connect(hosts.join(','), await pemFile('service', service), false);
  await asService
    .db('quorate')
    .collection('notes')
    .insertOne({ text: 'written by both' }, { writeConcern: { w: 2 } });
  await expect(asService.db('admin').command({ replSetGetConfig: 1 })).rejects.toThrow(/not authorized/);
  await asService.close();

  const agent = await pemFile('agent', { cn: 'machine-0', ou: 'agent', o: UUID });
  await expect(connect(hosts[0] as string, agent, true)).rejects.toThrow(/Could not find user/);

  const foreign = await createAuthority(UUID);
  const stranger = await pemFile('stranger', service, [], foreign);
  // The driver asks again until its patience ends, as a socket that is closed could have many reasons.
  await expect(connect(hosts[0] as string, stranger, true, 2_000)).rejects.toThrow(/closed/);
  const log = await readFile(join(dir, 'mongod-0.log'), 'utf8');
  expect(log).toMatch(/SSL peer certificate validation failed/);
  expect(log).not.toMatch(/certificate.*(will expire|no SAN|SubjectAlternativeName)/i);
});

async function pemFile(name: string, subject: Subject, addresses: string[] = [], by = authority): Promise<string> {
  const { certificate, key } = await issueWithKey(by, { subject, addresses });
  const file = join(dir, `${name}.pem`);
  await writeFile(file, certificate + key, { mode: 0o600 });
  return file;
}

/** Connects and logs in by certificate; a mongod that is just starting is waited for, for so long. */
async function connect(
  address: string,
  certificate: string,
  direct: boolean,
  patienceMs = 30_000,
): Promise<MongoClient> {
  const client = new MongoClient(`mongodb://${address}/?authMechanism=MONGODB-X509&authSource=$external`, {
    tls: true,
    tlsCAFile: join(dir, 'ca.crt'),
    tlsCertificateKeyFile: certificate,
    serverSelectionTimeoutMS: patienceMs,
    ...(direct ? { directConnection: true } : { replicaSet: 'juju' }),
  });
  try {
    await client.db('admin').command({ ping: 1 });
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}

function freePort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, address, () => {
      const bound = server.address();
      server.close(() => (bound && typeof bound === 'object' ? resolve(bound.port) : reject(new Error('no port'))));
    });
  });
}
