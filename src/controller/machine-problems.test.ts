import { expect, test } from 'vitest';
import type { MachineStatus } from '../api/status.js';
import { machineProblems } from './machine-problems.js';

const document = (_id: string, provisioningError: string) => ({
  _id,
  jobs: ['host-units' as const],
  life: 'alive' as const,
  provisioningError,
  instance: null,
});
const machine = (id: string, fields: Partial<MachineStatus>): MachineStatus => ({
  id,
  jobs: ['host-units'],
  life: 'alive',
  instance: `i-${id}`,
  instanceState: 'running',
  zone: 'a',
  address: '127.0.0.1',
  agent: 'started',
  ports: [],
  ingress: null,
  constraints: '',
  instanceType: '',
  provisioningError: '',
  maintenance: null,
  agentVersion: '',
  disk: null,
  certificateEnds: '',
  ...fields,
});

const instance = {
  id: 'i-1',
  address: '10.0.0.1',
  ports: { api: 1, mongo: 2 },
  state: 'running',
  recordedAt: new Date(0),
};

test('all that is well is not spoken of', () => {
  const well = [machine('1', {}), machine('2', { life: 'dead', instanceState: 'terminated' })];
  expect(machineProblems([document('1', '')], [...well, machine('3', { life: 'dying' })])).toEqual([]);
});

test('exposed ports that are not open', () => {
  const ingress = { rules: [], version: 2, applied: 1, address: '', error: '80/tcp cannot be opened: no right.' };
  expect(
    machineProblems(
      [
        { ...document('3', ''), ingress },
        { ...document('4', ''), ingress: { ...ingress, error: '' } },
      ],
      [],
    ),
  ).toEqual([
    'Machine 3 does not have all its exposed ports open: 80/tcp cannot be opened: no right. It is tried again by itself.',
  ]);
});

test('starts that fail for one reason are one sentence', () => {
  const documents = ['1', '2', '3', '4', '5', '6'].map((id) => document(id, 'No room in any zone: a, b.'));
  expect(machineProblems([...documents, document('7', 'broken')], [])).toEqual([
    'The instance of 6 machines (1, 2, 3, 4, 5, …) could not be started: No room in any zone: a, b. It is tried again by itself, or at once with: quorate retry-provisioning 1.',
    'The instance of machine 7 could not be started: broken. It is tried again by itself, or at once with: quorate retry-provisioning 7.',
  ]);
});

test('a boot that does not go on is no start that failed', () => {
  const fault = 'The instance boots and cannot get mongod: https://a answered 404 NoSuchKey.';
  expect(machineProblems([{ ...document('1', fault), instance }], [])).toEqual([
    `The boot of machine 1 does not go on: ${fault} It is tried again by itself.`,
  ]);
});

test('a workload machine that is gone, and one that cannot finish', () => {
  const problems = machineProblems(
    [],
    [
      machine('1', { instanceState: 'terminated', agent: 'down' }),
      machine('2', { instanceState: 'stopped', agent: 'stopped' }),
      machine('3', { life: 'dying', agent: 'down', instanceState: 'paused' }),
    ],
  );
  expect(problems).toEqual([
    expect.stringMatching(/machine 1 is terminated.* remove-machine 1, .* add-machine/),
    expect.stringMatching(/machine 2 is stopped/),
    expect.stringMatching(/Machine 3 is to be removed.* remove-machine 3 --force/),
  ]);
});

test('what the cloud’s own checks find, and what it will take away, is told with what to do', () => {
  const controller = { ...document('1', ''), jobs: ['manage-state' as const, 'manage-environ' as const] };
  const failing = { ...instance, checks: 'failing' as const };
  const retiring = { ...instance, id: 'i-5', retiresAt: '2026-01-02T03:04:05.000Z' };
  const seen = [
    { ...controller, instance: failing },
    { ...document('5', ''), instance: retiring },
  ];
  expect(machineProblems(seen, [])).toEqual([
    "The cloud's own checks of instance i-1, machine 1, fail: its hardware or its system does not answer. Have another one in its place: quorate replace 1.",
    'The cloud will stop or end instance i-5, machine 5, at 2026-01-02 03:04 UTC. Nothing replaces it by itself: quorate add-machine, and quorate remove-machine 5.',
  ]);
  // One that stopped, or is on its way out, has its own sentence or needs none.
  expect(machineProblems([{ ...controller, instance: { ...failing, state: 'stopped' } }], [])).toEqual([]);
  expect(machineProblems([{ ...document('5', ''), life: 'dying', instance: retiring }], [])).toEqual([]);
});
