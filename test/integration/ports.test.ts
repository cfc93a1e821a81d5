import { expect, test } from 'vitest';
import type { Status } from '../../src/api/status.js';
import { Home, until } from '../support/home.js';

test('on request all instances share one address, with a port each, and grow and shrink as elsewhere', async () => {
  const home = new Home();
  try {
    await home.ok('bootstrap', 'local/ports', 'demo');
    await home.ok('enable-ha');
    const { controllers } = await home.json<Status>('status');
    expect(controllers.map(({ address }) => address)).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1']);
    expect(new Set(controllers.flatMap(({ api, mongo }) => [api, mongo])).size).toBe(6);
    await until('each to reach the others', async () =>
      (await home.status()).controllers.every(({ sees }) => sees.length === 2),
    );
    await home.ok('disable-ha', '--keep', '1');
    expect((await home.status()).controllers.map(({ machine }) => machine)).toEqual(['1']);
    const refused = await home.run('bootstrap', 'local/moon', 'other');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/the cloud 'local' has no region 'moon'/);
  } finally {
    await home.close();
  }
});
