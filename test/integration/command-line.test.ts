import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Home } from '../support/home.js';

/** What wrong words get: one sentence on stderr, nothing on stdout, nothing changed, exit code 2. */
const wrong: [words: string, sentence: RegExp][] = [
  ['statsu', /unknown command 'statsu' \(Did you mean status\?\)/],
  ['status --fromat json', /unknown option '--fromat' \(Did you mean --format\?\)/],
  ['status --format jsno', /no format 'jsno'.*did you mean json/s],
  ['status -e nope', /no environment 'nope'/],
  ['-e nope status', /no environment 'nope'/],
  ['doctor -e nope', /no environment 'nope'/],
  ['doctor --unknown x', /--unknown does something together with --fix only/],
  ['controllers --matrxi', /unknown option '--matrxi' \(Did you mean --matrix\?\)/],
  ['bootstrap loca x', /no cloud 'loca' \(did you mean local\?\)/],
  ['bootstrap ec2 x', /EC2 needs a region/],
  ['bootstrap ec2/mars x', /'mars' is no region of Amazon’s/],
  ['ec2 polcy', /unknown command 'polcy' \(Did you mean policy\?\)/],
  ['bootstrap local demo -n 4', /4 controllers cannot be had: a majority needs an odd number.\nAsk for 3 or 5/],
  ['bootstrap local demo -n 0', /0 controllers cannot be had/],
  ['bootstrap local demo -n -3', /-3 controllers cannot be had/],
  ['bootstrap local demo -n 1001', /1001 controllers cannot be had/],
  ['bootstrap local demo -n three', /"three" is no number of controllers/],
  ['bootstrap local a/b', /it has a \//],
  ['bootstrap local ..', /it has two dots/],
  [`bootstrap local ${'x'.repeat(60)}`, /it has 60 characters/],
  ['bootstrap local Demo', /capital letters/],
  ['bootstrap local demo --config heartbeat-interval=soon', /heartbeat-interval must be a duration/],
  ['bootstrap', /missing required argument 'cloud'/],
  ['enable-ha -n 6', /6 controllers cannot be had/],
  ['enable-ha -n 1', /one controller is no HA/],
  ['enable-ha --to x', /'x' is no machine ID/],
  ['replace', /missing required argument 'machine'/],
  ['replace one', /'one' is no machine ID/],
  ['replace 1,2', /'1,2' names 2 machines; one is meant/],
  ['switchover --to x', /'x' is no machine ID/],
  ['maintenance 1', /either how long it lasts is said, or that it ends/],
  ['maintenance 1 --for 10m --end', /either how long it lasts is said, or that it ends/],
  ['maintenance 1 --for soon', /"soon" is no duration.\nSay it as 30s, 10m or 2h/],
  ['maintenance 1 --for 25h', /between 1s and 24h, not 25h/],
  ['maintenance 1 --for 0', /between 1s and 24h, not 0/],
  ['maintenance x --end', /'x' is no machine ID/],
  ['debug-log --level loud', /no level 'loud'.\nUse: trace, debug/],
  ['debug-log --since soon', /'soon' is no duration/],
  ['debug-log --machine x', /'x' is no machine ID/],
  ['debug-log -n 5000', /'5000' is no number of lines/],
  ['exec -- ls', /either the machines are named, or all are meant/],
  ['exec --machine 0 --all -- ls', /either the machines are named, or all are meant/],
  ['exec --machine 0 ls -l', /unknown option '-l'/],
  ['exec --machine 0 --timeout soon -- ls', /"soon" is no duration.\nSay it as 30s, 5m or 2h/],
  ['show-operation x', /'x' is no operation/],
  ['cancel-operation 0', /'0' is no operation/],
  ['operations --limit 0', /'0' is no number of operations/],
  ['engine start --port 99999', /A port is a whole number/],
  ['completion tcsh', /Allowed choices are bash, zsh, fish/],
  ['destroy-environment nope --yes', /no environment 'nope'/],
];

describe('wrong usage changes nothing and says what to do', () => {
  let home: Home;
  beforeAll(() => {
    home = new Home();
  });
  afterAll(() => home.close());

  test.each(wrong)('quorate %s', async (words, sentence) => {
    const { code, stdout, stderr } = await home.run(...words.split(' '));
    expect(stderr).toMatch(/^quorate: /);
    expect(stderr).toMatch(sentence);
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
    expect(stdout).toBe('');
    expect(code).toBe(2);
    expect(home.processes()).toEqual([]);
  });

  test('a command without an environment says how to get one', async () => {
    const { code, stderr } = await home.run('status');
    expect(code).toBe(1);
    expect(stderr).toMatch(/there is no environment yet.\nStart one with: quorate bootstrap local demo/);
  });

  test('every command explains itself with examples', async () => {
    const { stdout } = await home.run('--help');
    const commands = [...stdout.matchAll(/^ {2}([a-z-]+) {2,}\S/gm)].map(([, name]) => name ?? '');
    expect(commands.length).toBeGreaterThan(15);
    for (const name of commands.filter((name) => name !== 'help' && !name.startsWith('-'))) {
      const help = await home.run(name, '--help');
      expect(help.code, name).toBe(0);
      expect(help.stdout, name).toMatch(/Examples?:\n/);
    }
  });

  test('completion knows every command', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      expect(await home.ok('completion', shell)).toMatch(/enable-ha/);
    }
  });
});

test('a store of a newer version, or one that cannot be written, is refused by name', async () => {
  const home = new Home();
  try {
    await home.run('status');
    writeFileSync(join(home.dir, 'data/version'), '99\n');
    const newer = await home.run('status');
    expect(newer.code).toBe(1);
    expect(newer.stderr).toMatch(/was written by a newer Quorate: its version is 99/);
    // A file where the directory should be: root may write into any directory.
    const blocked = join(home.dir, 'blocked');
    writeFileSync(blocked, '');
    chmodSync(blocked, 0o400);
    home.env.QUORATE_HOME = blocked;
    const unwritable = await home.run('status');
    expect(unwritable.code).toBe(1);
    expect(unwritable.stderr).toContain(blocked);
    home.env.QUORATE_HOME = home.dir;
  } finally {
    await home.close();
  }
});
