import { expect, test } from 'vitest';
import { CLOUDS, cloudKind, openCloud } from './open.js';

test('a cloud that is not known is refused with those that are', async () => {
  await expect(openCloud({ cloud: 'azure', region: '' }, { localCloud: '/nowhere' })).rejects.toMatchObject({
    code: 'unknown-cloud',
    exit: 2,
    message: "this version of Quorate knows no cloud 'azure'.",
    todo: 'There are: local, ec2.',
  });
  expect(() => cloudKind('ec3', ' (did you mean ec2?)')).toThrow(/no cloud 'ec3' \(did you mean ec2\?\)/);
  for (const name of ['', 'EC2', 'toString', 'x'.repeat(200)]) expect(() => cloudKind(name)).toThrow();
  for (const name of CLOUDS) expect(cloudKind(name)).toBe(name);
});
