import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NAMED } from './ec2.js';
import { Home, type Run } from './home.js';

/** An address of nobody's (RFC 5737): no loopback, and nothing is ever asked there. */
export const ELSEWHERE = '203.0.113.7:7233';

/** Somebody who types commands about EC2, whose Amazon is at an endpoint of the test's. */
export class Ec2Operator {
  constructor(
    endpoint: string,
    readonly home = new Home(),
  ) {
    for (const name of Object.keys(this.home.env)) {
      if (/^(AWS_|QUORATE_EC2_)/.test(name)) delete this.home.env[name];
    }
    Object.assign(this.home.env, {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      // Nothing of whoever runs the tests, and no instance's role.
      AWS_SHARED_CREDENTIALS_FILE: join(this.home.dir, 'credentials'),
      AWS_CONFIG_FILE: join(this.home.dir, 'config'),
      AWS_EC2_METADATA_DISABLED: 'true',
      // moto has the images of Amazon Linux alone, and takes half a minute to list all instance types.
      QUORATE_EC2_IMAGE: 'al2023',
      QUORATE_EC2_TYPES: 't3.* t4g.*',
      ...NAMED,
      TEMPORAL_ADDRESS: ELSEWHERE,
    });
  }

  /** Runs a command with these variables besides; undefined ones are unset. */
  async run(words: string, env: NodeJS.ProcessEnv = {}): Promise<Run> {
    const before = { ...this.home.env };
    Object.assign(this.home.env, env);
    for (const [name, value] of Object.entries(env)) if (value === undefined) delete this.home.env[name];
    const { done } = this.home.start(...words.split(' '));
    for (const name of Object.keys(this.home.env)) delete this.home.env[name];
    Object.assign(this.home.env, before);
    return await done;
  }

  /** All files of the home with what is in them. */
  files(): Record<string, string> {
    const paths = readdirSync(this.home.dir, { recursive: true }) as string[];
    const files = paths.filter((path) => statSync(join(this.home.dir, path)).isFile());
    return Object.fromEntries(files.map((path) => [path, readFileSync(join(this.home.dir, path), 'utf8')]));
  }

  async close(): Promise<void> {
    await this.home.close();
  }
}
