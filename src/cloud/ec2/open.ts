import { QuorateError } from '../../errors.js';
import { Amazon } from './amazon.js';
import { readBootFiles } from './boot/files.js';
import { bootText } from './boot/text.js';
import { Ec2Cloud, type Renderer } from './ec2-cloud.js';
import { PORTS } from './instance.js';
import { checkRegionName, type Ec2Settings } from './settings.js';

/**
 * EC2 in a region, by the SDK's own chain of credentials and profiles, with an environment's settings. It loads the SDK:
 * import this file only where the cloud is EC2.
 * @param onWait told what is waited for, in a sentence
 */
export function openEc2Cloud(region: string, settings: Ec2Settings, onWait?: (sentence: string) => void): Ec2Cloud {
  const key = JSON.stringify([checkRegionName(region), settings]);
  const opened = clouds.get(key) ?? open(region, settings, onWait);
  clouds.set(key, opened);
  return opened;
}

/** One of each in a process, so that all that is done there shares connections, memory and the budget of calls. */
const clouds = new Map<string, Ec2Cloud>();

function open(region: string, settings: Ec2Settings, onWait?: (sentence: string) => void): Ec2Cloud {
  const { endpoints } = settings;
  const amazon = new Amazon({ region, endpoints, ...(onWait ? { onWait } : {}) });
  return new Ec2Cloud(amazon, settings, rendererOf(settings));
}

/** What makes of a machine's user data what its cloud-init runs, with the sources that were fixed at bootstrap. */
export function rendererOf({ sources }: Ec2Settings): Renderer {
  if (sources === undefined) return withoutSources;
  const files = readBootFiles();
  return ({ userData }, architecture) => bootText(userData, { sources, architecture, ports: PORTS, files });
}

const withoutSources: Renderer = () => {
  throw new QuorateError('no-source', 'Nobody has fixed yet where instances get what they run.', {
    todo: 'That is what a bootstrap begins with; an environment of an older version has to be made anew.',
  });
};
