import { afterEach, describe, expect, test } from 'vitest';
import { askEach } from '../../src/client/each.js';
import { secondaryOf, TestEnvironment } from '../support/environment.js';
import { whyNoNamespaces } from '../support/namespaces.js';

const reason = await whyNoNamespaces();

/** Longer than the local cloud's grace: whoever was to be replaced would be. */
const LONG_S = 25;

describe.skipIf(reason !== '')(`a link between two controllers${reason && ` (skipped: ${reason})`}`, () => {
  let env: TestEnvironment | null = null;
  afterEach(async () => {
    await env?.close();
    env = null;
  });

  test.each(['both', 'in', 'out'])(
    'cut (%s) costs nobody anything but its own',
    async (direction) => {
      env = await TestEnvironment.bootstrap(3, [], 'namespace');
      const before = await env.whole(3);
      const instances = before.controllers.map(({ instance }) => instance);
      const primary = before.ha.primary ?? '';
      const deaf = secondaryOf(before);
      await env.home.ok('cloud', 'partition', deaf, '--from', primary, '--one-way', direction);

      // The one or the other of them is primary in the end, and the other one is cut off from it.
      const cut = await env.statusWhen(
        'one to be cut off for longer than its grace',
        ({ controllers }) =>
          controllers.some(({ evidence }) => evidence?.verdict === 'cut-off' && evidence.sinceSeconds > LONG_S),
        120,
      );
      const off = cut.controllers.find(({ evidence }) => evidence?.verdict === 'cut-off');
      expect([primary, deaf]).toContain(off?.machine);
      expect(cut.controllers.map(({ instance }) => instance)).toEqual(instances);
      expect(cut.controllers.map(({ agent }) => agent)).toEqual(['started', 'started', 'started']);
      expect(cut.change).toBeNull();
      expect(cut.stale).toBe(false);
      expect(cut.answeredBy).not.toBe(off?.machine);
      expect(cut.ha.problems.join('\n')).toMatch(`Machine ${off?.machine} is well, but the link`);

      // It says where to go, and tells whoever asks it itself what it sees.
      const [environment, tls] = await Promise.all([env.store.readEnvironment('demo'), env.store.credentials('demo')]);
      if (environment === null || tls === null) throw new Error('the store does not know demo');
      const asked = { environment, tls, servers: [{ machine: off?.machine ?? '', api: off?.api ?? '' }] };
      const [refused] = await askEach(asked, (ask) => ask('/v1/status'));
      expect(refused?.problem).toMatch(/does not reach the primary/);
      const [own] = await askEach(asked, (ask) => ask<{ machine: string }>('/v1/reach'));
      expect(own?.answer?.machine).toBe(off?.machine);

      await env.writesGoOn();
      await env.home.ok('cloud', 'heal', deaf);
      await env.statusWhen('all to be well', ({ controllers }) =>
        controllers.every(({ evidence, member }) => evidence === null && member?.healthy),
      );
      expect(await env.lost()).toEqual([]);
    },
    300_000,
  );
});
