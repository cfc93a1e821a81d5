import type { Cloud } from '../../cloud/cloud.js';
import { type Judged, well } from './finding.js';

/** What an environment cannot do as it was bootstrapped: nothing is wrong with it, and nobody should be surprised. Pure. */
export function judgeLimits({ kind, machinesMayAsk }: Pick<Cloud, 'kind' | 'machinesMayAsk'>): readonly Judged[] {
  if (kind !== 'ec2' || machinesMayAsk) return [];
  return [
    well('its instances have no role: only this machine starts and ends instances, and nothing is healed without it'),
    well(
      'its instances have no role, so none reads the bucket: one that is off while all controllers change does not find them again; only a bootstrap with QUORATE_EC2_INSTANCE_PROFILE gives them one',
    ),
  ];
}
