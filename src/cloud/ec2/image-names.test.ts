import { expect, test } from 'vitest';
import { checkImageName, checkPublisher, IMAGES, imageOf, newestOf } from './image-names.js';

const image = (more: object = {}) => ({
  ImageId: 'ami-1',
  Architecture: 'x86_64' as const,
  State: 'available' as const,
  RootDeviceName: '/dev/sda1',
  BlockDeviceMappings: [{ DeviceName: '/dev/sdb' }, { DeviceName: '/dev/sda1', Ebs: { VolumeSize: 12 } }],
  ...more,
});

test('every image that has a name has a publisher, and a parameter and a name for each architecture', () => {
  for (const [name, { owner, parameter, name: names }] of Object.entries(IMAGES)) {
    expect(() => checkImageName(name)).not.toThrow();
    expect(owner).toMatch(/^\d{12}$/);
    for (const each of Object.values(parameter)) expect(each).toMatch(/^\/aws\/service\/[a-z0-9./_-]+$/);
    for (const each of Object.values(names)) expect(each).toMatch(/\*/);
    expect(Object.keys(parameter)).toEqual(Object.keys(names));
  }
});

test('a name that is none is refused with those that are', () => {
  expect(() => checkImageName('ami-0123456789abcdef0')).not.toThrow();
  for (const name of ['', 'debian', 'ami-xyz', 'constructor']) {
    expect(() => checkImageName(name)).toThrow(expect.objectContaining({ code: 'unknown-image', exit: 2 }));
  }
});

test('the newest is the one that was made last, for everybody the same', () => {
  const images = [
    image({ ImageId: 'ami-1', CreationDate: '2026-01-01T00:00:00.000Z' }),
    image({ ImageId: 'ami-3', CreationDate: '2026-02-01T00:00:00.000Z' }),
    image({ ImageId: 'ami-2', CreationDate: '2026-02-01T00:00:00.000Z' }),
  ];
  expect(newestOf(images)?.ImageId).toBe('ami-3');
  expect(newestOf([...images].reverse())?.ImageId).toBe('ami-3');
  expect(newestOf([])).toBeNull();
});

test('its own root disk is the one that is made larger', () => {
  expect(imageOf(image(), 'debian-12', 'x86_64')).toMatchObject({ rootDevice: '/dev/sda1', diskGiB: 12 });
});

test('none, one of another architecture and one that is gone are refused in words', () => {
  expect(() => imageOf(null, 'debian-12', 'arm64')).toThrow(/no image debian-12 for arm64.*none is published/);
  expect(() => imageOf(image(), 'debian-12', 'arm64')).toThrow(/is for x86_64/);
  expect(() => imageOf(image({ State: 'deregistered' }), 'debian-12', 'x86_64')).toThrow(/is deregistered/);
});

test('an image of the right name by somebody else is not taken', () => {
  const source = Object.values(IMAGES)[0];
  if (source === undefined) return expect.unreachable();
  expect(() => checkPublisher(image({ OwnerId: source.owner }), 'debian-12', source)).not.toThrow();
  expect(() => checkPublisher(image({ OwnerId: '666666666666' }), 'debian-12', source)).toThrow(
    expect.objectContaining({ code: 'image-not-trusted', message: expect.stringContaining('account 666666666666') }),
  );
});
