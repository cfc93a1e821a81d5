import type { InstanceStatus } from '@aws-sdk/client-ec2';
import type { InstanceHealth } from '../cloud.js';

/** What ends or stops an instance on a day that Amazon names. Reboots do not: it comes back by itself. */
const RETIRING: readonly string[] = ['instance-retirement', 'instance-stop'];

/** What EC2's status checks and scheduled events say of an instance. Pure. */
export function healthOf({
  InstanceId = '',
  InstanceStatus,
  SystemStatus,
  Events = [],
}: InstanceStatus): InstanceHealth {
  const checks = [SystemStatus?.Status, InstanceStatus?.Status];
  const retiring = Events.filter(
    // What is over stays listed for a week, and says so in its description alone.
    ({ Code = '', Description = '' }) => RETIRING.includes(Code) && !/^\[(completed|canceled)\]/i.test(Description),
  ).flatMap(({ NotBefore }) => NotBefore?.toISOString() ?? []);
  return {
    instance: InstanceId,
    checks: checks.includes('impaired') ? 'failing' : checks.every((status) => status === 'ok') ? 'passing' : 'unknown',
    retiresAt: retiring.sort()[0] ?? '',
  };
}
