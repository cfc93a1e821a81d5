import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { bootFault, bootProgress } from '../../src/cloud/ec2/boot/console.js';
import type { BootSources } from '../../src/cloud/ec2/boot/sources.js';
import { packageVersion } from '../../src/package.js';
import { debianRoot } from '../support/bare/debian-root.js';
import { accessOf, BareMachine, BUCKET, TOKEN, textFor } from '../support/bare/machine.js';
import { ARCHITECTURE, type PackedPart, packParts } from '../support/bare/parts.js';
import { until } from '../support/home.js';
import { whyNoNamespaces } from '../support/namespaces.js';
import { reap, reaped } from '../support/reap.js';

const why = await whyNoNamespaces();
if (why !== '') console.warn(`Skipped, as there are no namespaces: ${why}`);
const STEPS = ['begin', 'system', 'metadata', 'user-data', 'time', 'node', 'mongod', 'agent', 'release', 'service'];
const WAITS =
  /"machine":"3","environment":"prod","msg":"Enrolment goes on: no controller of prod answers\. Tried 10\.20\.0\.50:17070/;

describe.skipIf(why !== '')('a bare Debian', { timeout: 900_000 }, () => {
  let directory: string;
  let reaper: ReturnType<typeof reap>;
  let root: string;
  let sources: Omit<BootSources, 'region'>;
  const files: Record<string, string> = {};
  const machines: BareMachine[] = [];

  beforeAll(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'quorate-test-bare-'));
    reaper = reap(directory);
    root = await debianRoot();
    const { node, mongod, agent } = await packParts(directory);
    const at = (url: string, { file, sha256 }: PackedPart) => {
      files[url] = file;
      const access = url.startsWith('/open/') ? 'open' : 'role';
      return { [ARCHITECTURE]: { url: `${BUCKET}${url}`, sha256, access } } as const;
    };
    sources = {
      version: packageVersion(),
      node: at('/open/node.tar', node),
      mongod: at('/mongod.tar', mongod),
      agent: at('/agent.tar.gz', agent),
    };
  }, 1_200_000);

  afterEach(async () => {
    for (const machine of machines.splice(0)) await machine.off();
  });

  afterAll(async () => {
    await reaped(reaper);
  });

  function machine(): BareMachine {
    const bare = new BareMachine(root, mkdtempSync(path.join(directory, 'machine-')));
    machines.push(bare);
    return bare;
  }

  test('comes up by cloud-init and systemd, its power cut in the middle, and up again when it is started anew', async () => {
    const bare = machine();
    const text = textFor(sources);
    await bare.boot(text, { files });
    await bare.says(/STEP node: .*\n/);
    await bare.off();
    expect(bootProgress(bare.console)).toMatchObject({ done: false, failed: null });

    await bare.boot(text, { files });
    await bare.says(WAITS);
    const second = bootProgress(bare.console);
    expect(second.steps.map(({ name }) => name)).toEqual(STEPS);
    expect(second).toMatchObject({ done: true, failed: null });
    expect(second.steps[5]?.said).toBe('there already');
    expect(bare.console).not.toContain(TOKEN);
    expect(accessOf(bare.disk('var/lib/quorate'))).toBe('700 quorate');
    expect(accessOf(bare.disk('var/lib/quorate/user-data.json'))).toBe('600 quorate');
    expect(accessOf(bare.disk('opt/quorate/boot'))).toBe('700 root');
    const node = readdirSync(bare.disk('opt/quorate/parts')).find((name) => name.startsWith('node-')) ?? '';
    expect(accessOf(bare.disk(`opt/quorate/parts/${node}/bin/node`))).toBe('755 root');
    expect(readdirSync(bare.disk(`opt/quorate/parts/${node}/bin`))).toEqual(['node']);
    // The copy that it is unpickled from is cloud-init's own, for root alone (docs/ec2.md).
    expect(holding(TOKEN, bare.disk('var/lib/cloud'), bare.disk('opt'), bare.disk('var/log'))).toEqual([
      bare.disk('var/lib/cloud/instances/i-0123456789abcdef0/obj.pkl'),
    ]);
    await bare.off();

    await bare.boot(text, { files: {} });
    await bare.says(WAITS);
    const third = bootProgress(bare.console);
    expect(third).toMatchObject({ done: true, failed: null });
    expect(third.steps.slice(5, 8).map(({ said }) => said)).toEqual(Array(3).fill('there already'));
  });

  test('goes on wherever it was killed, by either shell, and leaves nothing half there', async () => {
    const bare = machine();
    const text = textFor(sources);
    for (const [n, step] of STEPS.entries()) {
      await bare.run(
        text,
        { files },
        {
          shell: n % 2 === 0 ? 'dash' : 'bash',
        },
      );
      await bare.says(new RegExp(`STEP ${step}: .*\n`));
      await bare.off();
      expect(bare.console).not.toContain('FAILED');
      const next = STEPS[n + 1] ?? '';
      if (!['node', 'mongod', 'agent'].includes(next)) continue;
      // And while the next part is being fetched or unpacked.
      await bare.run(text, { files });
      const staging = bare.disk(`opt/quorate/parts/.new-${next}`);
      await until(`${staging} to be there`, async () => existsSync(staging));
      await bare.off();
      expect(bare.console).not.toContain(`STEP ${next}`);
    }
    await bare.run(text, { files });
    await bare.says(WAITS);
    expect(bootProgress(bare.console)).toMatchObject({ done: true, failed: null, steps: { length: STEPS.length } });
    expect(readdirSync(bare.disk('opt/quorate/parts')).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  /** What it says when something is wrong where it is, and what it has then. */
  async function fault(text: string, around: Parameters<BareMachine['run']>[1], bare = machine()) {
    await bare.run(text, around, { tells: 'echo "parts: $(ls -A /opt/quorate/parts 2>&1 | tr "\\n" " ")"' });
    await bare.says(/FAILED .*\n(.*\n)*?.*parts: .*\n/);
    const parts = /.*parts: (.*)\n/.exec(bare.console.slice(bare.console.indexOf('FAILED')))?.[1]?.trim() ?? '';
    await bare.off();
    return { fault: bootFault(bare.console), parts: parts.replace(/-[0-9a-f]{12}/g, '') };
  }

  test('says what is wrong and has nothing half installed: a wrong SHA-256, an archive that is not there', async () => {
    const other = { url: `${BUCKET}/open/node.tar`, sha256: 'ab'.repeat(32), access: 'open' } as const;
    expect(await fault(textFor({ ...sources, node: { [ARCHITECTURE]: other } }), { files })).toEqual({
      fault: expect.stringMatching(
        /cannot get Node: the SHA-256 of http:\/\/10\.20\.0\.2\/open\/node\.tar is [0-9a-f]{64} and not abab.*: not used\.$/,
      ),
      parts: '',
    });
    const bare = machine();
    const { '/mongod.tar': _, ...without } = files;
    expect(await fault(textFor(sources), { files: without }, bare)).toEqual({
      fault: 'The instance boots and cannot get mongod: http://10.20.0.2/mongod.tar answered 404 NoSuchKey.',
      parts: 'node',
    });
    // It comes.
    await bare.run(textFor(sources), { files });
    await bare.says(/DONE/);
  });

  test('says what is wrong: a full disk, no metadata service, no role, no archive in what was fetched', async () => {
    expect(await fault(textFor(sources), { files, diskMb: 64 })).toEqual({
      fault: expect.stringMatching(/cannot get Node: No space left on device\.$/),
      parts: '',
    });
    expect((await fault(textFor(sources), { files, identity: null })).fault).toMatch(
      /^The instance boots and cannot learn from the metadata service who it is: http:\/\/169\.254\.169\.254\/latest\/api\/token does not answer: .*refused/,
    );
    expect(await fault(textFor(sources), { files, role: false })).toEqual({
      fault:
        'The instance boots and cannot get mongod: this instance has no role to read the bucket with: name an instance profile.',
      parts: 'node',
    });
    const page = path.join(directory, 'page.html');
    writeFileSync(page, '<html>');
    const sha256 = createHash('sha256').update('<html>').digest('hex');
    const instead = {
      ...sources,
      node: { [ARCHITECTURE]: { url: `${BUCKET}/open/node.tar`, sha256, access: 'open' } },
    } as const;
    expect(await fault(textFor(instead), { files: { ...files, '/open/node.tar': page } })).toEqual({
      fault: 'The instance boots and cannot get Node: what http://10.20.0.2/open/node.tar holds is no archive.',
      parts: '',
    });
  });

  test('refuses a disk that another machine was made on, and leaves it as it is', async () => {
    const bare = machine();
    const there = bare.disk('var/lib/quorate/user-data.json');
    mkdirSync(path.dirname(there), { recursive: true });
    writeFileSync(there, '{"nonce":"n-2","machine":"2"}');
    expect((await fault(textFor(sources), { files }, bare)).fault).toMatch(/this disk belongs to another machine/);
    expect(readFileSync(there, 'utf8')).toBe('{"nonce":"n-2","machine":"2"}');
  });
});

/** The files under these folders that a text stands in. */
function holding(text: string, ...folders: string[]): string[] {
  return folders
    .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(text));
}
