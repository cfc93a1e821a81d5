import { EC2Client } from '@aws-sdk/client-ec2';
import { Amazon, type AmazonOptions } from '../../src/cloud/ec2/amazon.js';
import { namedSources } from '../../src/cloud/ec2/boot/named-sources.js';
import { Budget } from '../../src/cloud/ec2/budget.js';
import { Ec2Cloud } from '../../src/cloud/ec2/ec2-cloud.js';
import { DEFAULTS, type Ec2Settings } from '../../src/cloud/ec2/settings.js';
import { CALL } from './call-names.js';

export const REGION = 'eu-west-1';
const KEY = { accessKeyId: 'test', secretAccessKey: 'test' };

/** Archives that nobody fetches, as a person would name them. */
export const NAMED = {
  QUORATE_EC2_NODE: sourcesNamed('node'),
  QUORATE_EC2_MONGOD: sourcesNamed('mongod'),
  QUORATE_EC2_AGENT: sourcesNamed('quorate'),
};

function sourcesNamed(part: string): string {
  return ['x86_64', 'arm64'].map((each) => `${each}=http://127.0.0.1:9/${part}-${each}#${'ab'.repeat(32)}`).join(' ');
}

/** moto has the images of Amazon Linux alone, and takes half a minute to list all instance types. */
const AS_MOTO_HAS: Ec2Settings = {
  ...DEFAULTS,
  image: 'al2023',
  types: ['t3.*', 't4g.*'],
  named: namedSources(NAMED),
};

/** A cloud at an endpoint of moto's, with a budget that holds nothing up, whose calls carry their names. */
export function cloudAt(
  endpoint: string,
  options: Partial<AmazonOptions> = {},
  settings: Partial<Ec2Settings> = {},
): Ec2Cloud {
  const plenty = { burst: 10_000, perSecond: 10_000 };
  const amazon = new Amazon({
    region: REGION,
    endpoints: { all: endpoint },
    budget: new Budget({ reads: plenty, changes: plenty }),
    identities: { provide: async () => KEY, renew: () => {} },
    ...options,
  });
  for (const client of amazon.clients) {
    (client as EC2Client).middlewareStack.add(
      (next, { commandName = '' }) =>
        async (args) => {
          const { headers } = args.request as { headers: Record<string, string> };
          headers[CALL] = commandName.replace(/Command$/, '');
          return await next(args);
        },
      { step: 'build' },
    );
  }
  return new Ec2Cloud(amazon, { ...AS_MOTO_HAS, ...settings });
}

/** Somebody at Amazon's console. */
export const consoleAt = (endpoint: string): EC2Client => new EC2Client({ region: REGION, endpoint, credentials: KEY });

/** The same keys as a shell has them. */
export const KEYS = { AWS_ACCESS_KEY_ID: KEY.accessKeyId, AWS_SECRET_ACCESS_KEY: KEY.secretAccessKey } as const;

/** Does something with these variables in this process's environment, which is as it was afterwards. */
export async function withVariables<T>(
  variables: Readonly<Record<string, string>>,
  work: () => Promise<T>,
): Promise<T> {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, variables);
  try {
    return await work();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
