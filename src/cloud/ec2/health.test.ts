import { expect, test } from 'vitest';
import { healthOf } from './health.js';

const seen = (system: string, instance: string, Events: object[] = []) =>
  healthOf({
    InstanceId: 'i-1',
    SystemStatus: { Status: system as never },
    InstanceStatus: { Status: instance as never },
    Events,
  });

test('it passes when hardware and system both do, and fails when either does', () => {
  expect(seen('ok', 'ok').checks).toBe('passing');
  expect(seen('impaired', 'ok').checks).toBe('failing');
  expect(seen('initializing', 'impaired').checks).toBe('failing');
  for (const status of ['initializing', 'insufficient-data', 'not-applicable'])
    expect(seen('ok', status).checks).toBe('unknown');
  expect(healthOf({ InstanceId: 'i-1' }).checks).toBe('unknown');
});

test('the first day on which Amazon stops or ends it counts; a reboot and what is over do not', () => {
  const on = (Code: string, day: string, Description = 'The instance is running on degraded hardware') => ({
    Code,
    Description,
    NotBefore: new Date(`${day}T00:00:00Z`),
  });
  const events = [
    on('system-reboot', '2026-01-01'),
    on('instance-retirement', '2026-03-01'),
    on('instance-stop', '2026-02-01'),
    on('instance-stop', '2026-01-02', '[Completed] The instance is running on degraded hardware'),
  ];
  expect(seen('ok', 'ok', events).retiresAt).toBe('2026-02-01T00:00:00.000Z');
  expect(seen('ok', 'ok', events.slice(0, 1)).retiresAt).toBe('');
});
