import { afterEach, expect, test } from 'vitest';
import { Home } from '../support/home.js';

let home: Home | null = null;
afterEach(async () => {
  await home?.close();
  home = null;
});

// Links can be cut only between network namespaces, which take Linux and root.
test.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)(
  'quickstart --chaos loses an instance for good, the primary and a link, and no write',
  async () => {
    home = new Home();
    const { code, stdout, stderr } = await home.run('quickstart', '--chaos');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout.match(/was replaced by itself: three of three vote/g)).toHaveLength(2);
    expect(stdout).toMatch(/Cut the link of machine \d, the primary; machine \d took over/);
    expect(stdout).toMatch(/exec on machines 1 and 2 went on meanwhile: 80 lines each, none missing/);
    expect(stdout).toMatch(/Healed the link: three of three vote/);
    expect(stdout).toMatch(/Acknowledged [\d,]+ writes, lost 0\./);
    await home.ok('quickstart', '--cleanup');
    expect(home.processes()).toEqual([]);
  },
  400_000,
);
