import { Amazon } from './amazon.js';
import { Ec2Cloud } from './ec2-cloud.js';
import { checkImageName } from './image-names.js';
import { checkRegionName, settingsFrom } from './settings.js';

/**
 * EC2 in a region, by the SDK's own chain of credentials, profiles and endpoints, with what Quorate's variables say. It loads
 * the SDK: import this file only where the cloud is EC2.
 * @param onWait told what is waited for, in a sentence
 */
export function openEc2Cloud(
  region: string,
  env: NodeJS.ProcessEnv = process.env,
  onWait?: (sentence: string) => void,
): Ec2Cloud {
  const settings = settingsFrom(env);
  checkImageName(settings.image);
  const key = JSON.stringify([checkRegionName(region), settings]);
  const opened = clouds.get(key) ?? new Ec2Cloud(new Amazon({ region, ...(onWait ? { onWait } : {}) }), settings);
  clouds.set(key, opened);
  return opened;
}

/** One of each in a process, so that all that is done there shares connections, memory and the budget of calls. */
const clouds = new Map<string, Ec2Cloud>();
