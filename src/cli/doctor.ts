import type { Command } from 'commander';
import { reasonOf, usageError } from '../errors.js';
import type { Store } from '../store/store.js';
import { colours } from './colour.js';
import { CHECKS, FIRST, WITHOUT_CONTROLLERS } from './doctor/checks.js';
import { type Finding, type Fix, type Need, runChecks, wrong } from './doctor/finding.js';
import { fixEnvironment, fixMachine } from './doctor/fixes.js';
import { machineChecks } from './doctor/machine-checks.js';
import { Subject } from './doctor/subject.js';
import { findingsText, stillWrong } from './doctor/text.js';
import { chooseEnvironment } from './environment.js';
import { type OutputOptions, print, symbols, withEnvironment, withFormat } from './output.js';

interface Options extends OutputOptions {
  readonly environment?: string;
  readonly fix?: boolean;
  readonly unknown?: string;
  readonly region?: string;
}

const WIDTH = { least: 60, page: 100 } as const;

export function configure(command: Command): void {
  withEnvironment(withFormat(command), 'only this environment (default: all)')
    .option('--fix', 'put right what can be put right safely; nothing that touches a vote')
    .option('--unknown <uuid>', 'with --fix: also remove all there is of this environment, which is not known here')
    .option('--region <region>', 'also look at what is left in this region of EC2 (those of known environments are)')
    .addHelpText(
      'after',
      '\nWithout --fix nothing is changed or started. Exit code 1 when something is wrong.\n\nExamples:\n  quorate doctor\n  quorate doctor --fix\n  quorate doctor --region eu-west-1\n  quorate doctor -e demo --format json',
    )
    .action(async (options: Options) => {
      if (options.unknown !== undefined && !options.fix) {
        throw usageError('without-fix', '--unknown does something together with --fix only.');
      }
      const { openStore } = await import('../store/store.js');
      const store = await openStore();
      const names =
        options.environment === undefined
          ? await store.listEnvironments()
          : [(await chooseEnvironment(store, options.environment)).name];
      const repair = options.fix ? fixed : untouched;
      const machine = await runChecks('', machineChecks(options.unknown, options.region), store);
      const findings = await repair(machine, (fix) => fixMachine(fix, store));
      for (const name of names) findings.push(...(await environment(store, name, repair)));
      const width = Math.max(WIDTH.least, Math.min(process.stdout.columns ?? WIDTH.page, WIDTH.page));
      const look = { sign: symbols(options), paint: colours(process.stdout), width };
      await print(findings, options, () => findingsText(findings, look));
      if (findings.some(stillWrong)) process.exitCode = 1;
    });
}

type Repair = (findings: readonly Finding[], fix: (fix: Fix) => Promise<string>) => Promise<Finding[]>;

const untouched: Repair = async (findings) => [...findings];

/** One after the other; what several findings propose is done once. */
const fixed: Repair = async (findings, fix) => {
  const outcomes = new Map<string, Finding['fixed']>();
  const after: Finding[] = [];
  for (const finding of findings) {
    if (finding.fix === null) {
      after.push(finding);
      continue;
    }
    const key = JSON.stringify(finding.fix);
    const outcome =
      outcomes.get(key) ??
      (await fix(finding.fix).then(
        (said) => ({ done: true, said }),
        (error) => ({ done: false, said: reasonOf(error) }),
      ));
    outcomes.set(key, outcome);
    after.push({ ...finding, fixed: outcome });
  }
  return after;
};

async function environment(store: Store, name: string, repair: Repair): Promise<Finding[]> {
  const record = await store.readEnvironment(name);
  const credentials = await store.credentials(name);
  if (record === null || credentials === null) {
    const todo = `Follow it with: quorate watch -e ${name}      or take it back with: quorate destroy-environment ${name}`;
    return [{ where: name, check: 'bootstrap', ...wrong('its bootstrap did not come to its end', todo), fixed: null }];
  }
  const { openClient } = await import('../client/open.js');
  const subject = new Subject(store, record, credentials, await openClient(store, name));
  try {
    const controllers = await reached('controllers', () => subject.status());
    const temporal = controllers.length > 0 ? [] : await reached('temporal', () => subject.temporal());
    const lacking = [...controllers, ...temporal];
    const findings = [
      ...(await runChecks(name, FIRST, subject, controllers)),
      ...(await runChecks(name, controllers.length > 0 ? WITHOUT_CONTROLLERS : [], subject)),
      ...(await runChecks(name, CHECKS, subject, lacking)),
    ];
    return await repair(findings, (fix) => fixEnvironment(fix, subject));
  } finally {
    await subject.close();
  }
}

/** The need that is not met, if it is not; its own check says why. */
const reached = async (need: Need, ask: () => Promise<unknown>): Promise<Need[]> =>
  await ask().then(
    () => [],
    () => [need],
  );
