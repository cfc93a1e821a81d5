import type { Command } from 'commander';
import { InvalidArgumentError } from 'commander';
import { usageError } from '../errors.js';
import { parseConstraints } from '../machines/constraints.js';
import { controllersOf } from '../membership/goal.js';
import { colours } from './colour.js';
import { findingsText } from './doctor/text.js';
import { checkFindings, withOurs } from './ec2-check-text.js';
import { formatOf, type OutputOptions, print, symbols, withFormat } from './output.js';

interface PolicyOptions {
  readonly role: string;
  readonly region: string;
  readonly account: string;
  readonly instances?: boolean;
}

interface CheckOptions extends OutputOptions {
  readonly n: string;
  readonly constraints?: string[];
}

/** `quorate ec2`: what Amazon has to allow and to have, before an environment is bootstrapped there. */
export function configure(command: Command): void {
  command.addHelpText(
    'after',
    '\nCredentials, profiles and endpoints are as the AWS SDK has them (AWS_PROFILE, AWS_ENDPOINT_URL); QUORATE_EC2_* name a VPC,\nan image and more: docs/ec2.md.\n\nExamples:\n  quorate ec2 policy > policy.json\n  quorate ec2 check eu-west-1 -n 3',
  );
  command
    .command('policy')
    .description('the least IAM policy that Quorate needs, as JSON')
    .option(
      '--role <name>',
      "also let it give this role to instances (of QUORATE_EC2_INSTANCE_PROFILE's profile)",
      role,
      '',
    )
    .option('--instances', 'of the role that instances have by their profile, which controllers act with')
    .option('--region <region>', 'for one region alone', '*')
    .option('--account <id>', 'for one account alone', account, '*')
    .addHelpText(
      'after',
      '\nExamples:\n  quorate ec2 policy\n  quorate ec2 policy --role quorate\n  quorate ec2 policy --role quorate --instances\n  quorate ec2 policy --role quorate --region eu-west-1 --account 123456789012',
    )
    .action(async ({ role, region, account, instances }: PolicyOptions) => {
      const [{ policy }, { checkRegionName }] = await Promise.all([
        import('../cloud/ec2/policy.js'),
        import('../cloud/ec2/settings.js'),
      ]);
      const where = region === '*' ? region : checkRegionName(region);
      const made = policy({ region: where, account, role, of: instances ? 'instances' : 'operators' });
      process.stdout.write(`${JSON.stringify(made, null, 2)}\n`);
    });
  withFormat(
    command.command('check <region>').description('what a bootstrap in this region would find, and what lacks'),
  )
    .option('-n <controllers>', 'for so many controllers', '3')
    .option('--constraints <key=value...>', 'what they must at least be, as for bootstrap')
    .addHelpText(
      'after',
      '\nNothing is started or changed. Exit code 1 when something lacks.\n\nExamples:\n  quorate ec2 check eu-west-1\n  quorate ec2 check eu-west-1 -n 5 --constraints mem=8G --format json',
    )
    .action(check);
}

async function check(region: string, options: CheckOptions): Promise<void> {
  const asked = controllersOf(options.n);
  if (!asked.ok) throw usageError('bad-controllers', asked.message, asked.todo);
  formatOf(options);
  const constraints = parseConstraints(options.constraints ?? []);
  const [{ openEc2Cloud }, { settingsFrom }, { readiness }, { dirsOf }] = await Promise.all([
    import('../cloud/ec2/open.js'),
    import('../cloud/ec2/settings.js'),
    import('../cloud/ec2/check.js'),
    import('../store/dirs.js'),
  ]);
  const cloud = openEc2Cloud(region, settingsFrom(process.env));
  const { toolchain } = dirsOf(process.env);
  const seen = await withOurs(await readiness(cloud, { controllers: asked.controllers, constraints, toolchain }));
  await print({ region, ...seen }, options, () =>
    findingsText(checkFindings(region, seen), {
      sign: symbols(options),
      paint: colours(process.stdout),
      width: Math.max(60, Math.min(process.stdout.columns ?? 100, 100)),
    }),
  );
  if (seen.lacks.length > 0) process.exitCode = 1;
}

/** The name of a role, as IAM takes it. */
function role(name: string): string {
  if (/^[\w+=,.@-]{1,64}$/.test(name)) return name;
  throw new InvalidArgumentError('A role is named by letters, digits and any of +=,.@-_ (64 at most)');
}

function account(id: string): string {
  if (/^\d{12}$/.test(id)) return id;
  throw new InvalidArgumentError('An account is a number of 12 digits');
}
