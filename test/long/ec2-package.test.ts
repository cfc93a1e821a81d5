import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GetObjectCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { publish } from '../../src/cloud/ec2/boot/publish.js';
import { bucketName } from '../../src/cloud/ec2/bucket.js';
import { type AgentArchive, packAgent } from '../../src/pack/agent-archive.js';
import { packageVersion } from '../../src/package.js';
import { cloudAt } from '../support/ec2.js';
import { Moto } from '../support/moto.js';

let moto: Moto;
let archive: AgentArchive;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'quorate-package-'));
  [moto, archive] = await Promise.all([Moto.start(), packAgent('x86_64')]);
}, 600_000);

afterAll(async () => {
  await moto?.stop();
  rmSync(directory, { recursive: true, force: true });
});

test('the package that is packed runs where nothing else of it is, and has what is loaded besides', () => {
  execFileSync('tar', ['-xzf', '-', '-C', directory], { input: archive.bytes });
  const root = path.join(directory, 'quorate');
  const run = (...args: string[]) => spawnSync(process.execPath, args, { cwd: root, env: {}, encoding: 'utf8' });
  expect(run('dist/programs/quorate.js', '--version').stdout.trim()).toBe(packageVersion());
  const agent = spawnSync(process.execPath, [path.join(root, 'dist/programs/quorated.js')], {
    env: { QUORATE_INSTANCE_DIR: directory },
    encoding: 'utf8',
  });
  expect(agent.stderr).toContain(`The user data in ${directory}/user-data.json cannot be read`);
  const bridge = run('-e', "console.log(typeof require('@temporalio/core-bridge').native.newRuntime)");
  expect({ stderr: bridge.stderr, stdout: bridge.stdout.trim() }).toEqual({ stderr: '', stdout: 'function' });
  const listed = execFileSync('tar', ['-tvzf', '-'], { input: archive.bytes, encoding: 'utf8', maxBuffer: 1 << 26 });
  expect(listed).toMatch(/-rwxr-xr-x 0\/0 .* 1970-01-01 .*quorate\/boot\/quorate-boot\n/);
  expect(listed).not.toMatch(/aarch64|darwin|\.d\.ts|\.map\n/);
});

test('the same build is the same archive; another processor’s has its own machine code', async () => {
  expect((await packAgent('x86_64')).sha256).toBe(archive.sha256);
  expect(createHash('sha256').update(archive.bytes).digest('hex')).toBe(archive.sha256);
  const arm = await packAgent('arm64');
  const listed = execFileSync('tar', ['-tzf', '-'], { input: arm.bytes, encoding: 'utf8', maxBuffer: 1 << 26 });
  expect(listed.match(/.*index\.node/g)).toEqual([
    'quorate/node_modules/@temporalio/core-bridge/releases/aarch64-unknown-linux-gnu/index.node',
  ]);
});

test('an archive is put into the bucket once, whoever comes, and what it answers is where it is', async () => {
  const cloud = cloudAt(moto.endpoint);
  const environment = randomUUID();
  try {
    const made = { version: packageVersion(), bytes: async () => archive.bytes };
    const put = () => publish(cloud.bucket, environment, 'agent', 'x86_64', made);
    const versions = async () => {
      const { Versions = [] } = await cloud.amazon.s3.send(
        new ListObjectVersionsCommand({ Bucket: bucketName(environment) }),
      );
      return Versions.map(({ Key, VersionId }) => [Key, VersionId]);
    };
    // Moto compares before it has the whole, so that both may write: the same bytes.
    const both = await Promise.all([1, 2].map(put));
    const before = await versions();
    const again = await put();
    expect(await versions()).toEqual(before);
    expect(both).toEqual([again, again]);
    const name = `parts/agent-${packageVersion()}-linux-x86_64-${archive.sha256}.tar.gz`;
    expect(again).toEqual({
      url: `${moto.endpoint}/${bucketName(environment)}/${name}`,
      sha256: archive.sha256,
      access: 'role',
    });
    const Bucket = bucketName(environment);
    expect(new Set(before.map(([key]) => key))).toEqual(new Set([name]));
    const { Body } = await cloud.amazon.s3.send(new GetObjectCommand({ Bucket, Key: name }));
    const stored = Buffer.from((await Body?.transformToByteArray()) ?? []);
    expect(createHash('sha256').update(stored).digest('hex')).toBe(archive.sha256);
    // Private, as all of the bucket.
    expect((await fetch(again.url)).status).toBe(403);
  } finally {
    cloud.amazon.destroy();
  }
});
