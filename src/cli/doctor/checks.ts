import { packageVersion } from '../../package.js';
import { matrixOf } from '../matrix.js';
import { judgeCertificates } from './certificates.js';
import { judgeClocks } from './clocks.js';
import { judgeDisks } from './disks.js';
import { type Check, check, well } from './finding.js';
import { judgeInstances, judgeSilent } from './instances.js';
import { judgeLimits } from './limits.js';
import { judgeMembers, judgeProblems } from './members.js';
import { judgeParameters } from './parameters.js';
import { judgeReach } from './reach.js';
import { askChanges, askRuns, judgeChanges, judgeRuns } from './runs.js';
import type { Subject } from './subject.js';
import { judgeVersions } from './versions.js';

/** Without these little else can be asked; they are made first, and under these names other checks need them. */
export const FIRST: readonly Check<Subject>[] = [
  check('controllers', [], (subject) => subject.status(), judgeProblems),
  check(
    'temporal',
    ['controllers'],
    (subject) => subject.temporal(),
    ({ address }) => [well(`it answers at ${address}`)],
  ),
];

/** What can be looked at in place of all others when no controller answers. */
export const WITHOUT_CONTROLLERS: readonly Check<Subject>[] = [
  check(
    'instances',
    [],
    async (subject) => ({
      environment: subject.record.name,
      instances: await (await subject.cloud()).list(subject.record.uuid),
    }),
    ({ environment, instances }) => judgeSilent(environment, instances),
  ),
];

/** What is looked at in each environment. */
export const CHECKS: readonly Check<Subject>[] = [
  check(
    'members',
    ['controllers'],
    async (subject) => ({ status: await subject.status(), asked: await subject.answers() }),
    ({ status, asked }) =>
      judgeMembers(
        status,
        asked.flatMap(({ answer }) => (answer ? [answer.reach] : [])),
      ),
  ),
  check(
    'reach',
    ['controllers'],
    async (subject) => ({ status: await subject.status(), asked: await subject.answers() }),
    ({ status, asked }) =>
      judgeReach(
        matrixOf(
          status,
          asked.map((one) => (one.answer ? { ...one, answer: one.answer.reach } : one)),
        ),
      ),
  ),
  check(
    'instances',
    ['controllers'],
    async (subject) => {
      // In this order: a machine's document comes before its instance.
      const instances = await (await subject.cloud()).list(subject.record.uuid);
      const [status, machines] = await Promise.all([subject.status(), subject.machines()]);
      const { environment, stale, change } = status;
      return { environment: environment.name, instances, machines, stale, changing: change !== null };
    },
    judgeInstances,
  ),
  check('limits', ['controllers'], (subject) => subject.cloud(), judgeLimits),
  check('workflows', ['controllers', 'temporal'], askRuns, judgeRuns),
  check('changes', ['controllers', 'temporal'], askChanges, ({ environment, changes, runs }) =>
    judgeChanges(environment, changes, runs),
  ),
  check(
    'versions',
    ['controllers'],
    async (subject) => {
      const { controllers, machines } = await subject.status();
      return {
        own: packageVersion(),
        agents: [
          ...controllers.map(({ machine, agentVersion: version }) => ({ machine, version })),
          ...machines.map(({ id: machine, agentVersion: version }) => ({ machine, version })),
        ],
        mongods: controllers.flatMap(({ machine, mongod }) => (mongod ? [{ machine, version: mongod.version }] : [])),
      };
    },
    judgeVersions,
  ),
  check('settings', ['controllers'], async (subject) => (await subject.status()).controllers, judgeParameters),
  check(
    'clocks',
    ['controllers'],
    async (subject) =>
      (await subject.answers()).flatMap(({ machine, answer }) => (answer ? [{ machine, ...answer.clock }] : [])),
    judgeClocks,
  ),
  check(
    'disks',
    ['controllers'],
    async (subject) => {
      const { controllers, machines } = await subject.status();
      return [
        ...controllers.map(({ machine, disk }) => ({ whose: `machine ${machine}`, disk })),
        ...machines.map(({ id, disk }) => ({ whose: `machine ${id}`, disk })),
      ];
    },
    judgeDisks,
  ),
  check(
    'certificates',
    ['controllers'],
    async (subject) => {
      const { controllers, machines, environment } = await subject.status();
      const ends = [
        ...controllers.map(({ machine, certificateEnds }) => ({ machine, certificateEnds })),
        ...machines.map(({ id: machine, certificateEnds }) => ({ machine, certificateEnds })),
      ];
      return ends.map(({ machine, certificateEnds }) => ({
        whose: `machine ${machine}`,
        ends: certificateEnds,
        todo: `Its agent renews it once an hour. Why it does not is on its console: quorate cloud log ${machine} -e ${environment.name}`,
      }));
    },
    (seen) => judgeCertificates(seen, Date.now()),
  ),
  check(
    'your login',
    [],
    async ({ credentials }) => {
      const { expiresAt } = await import('../../pki/certificate.js');
      return [
        {
          whose: 'the operator',
          ends: expiresAt(credentials.certificate).toISOString(),
          todo: 'Any command that reaches a controller renews it: quorate status. Once it has ended nobody lets you in.',
        },
        {
          whose: "the environment's CA",
          ends: expiresAt(credentials.ca).toISOString(),
          todo: 'Bootstrap a new environment before then: every certificate ends with it.',
        },
      ];
    },
    (seen) => judgeCertificates(seen, Date.now()),
  ),
];
