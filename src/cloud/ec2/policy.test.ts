import { expect, test } from 'vitest';
import { CALLS, type CallKind, OPERATORS_ACTIONS } from './calls.js';
import { policy } from './policy.js';

const place = { region: 'eu-west-1', account: '123456789012', role: 'quorate' };
const made = policy({ ...place, of: 'operators' });

test('it allows what the calls need, and nothing more', () => {
  const needed = Object.values<CallKind>(CALLS).flatMap(({ needs }) => needs.map(([action]) => action));
  const allowed = made.Statement.flatMap(({ Action }) => Action);
  expect(new Set(allowed)).toEqual(new Set([...needed, 'iam:PassRole']));
  expect(allowed.filter((action) => action.includes('*'))).toEqual([]);
});

test('it changes nothing that does not carry an environment’s tag, and makes nothing without it', () => {
  const ours = '"aws:ResourceTag/quorate:environment":"false"';
  const becoming = '"aws:RequestTag/quorate:environment":"false"';
  const conditionOf = (sid: string) => JSON.stringify(made.Statement.find(({ Sid }) => Sid === sid)?.Condition);
  for (const sid of ['Change', 'TagWhatIsOurs']) expect(conditionOf(sid)).toContain(ours);
  for (const sid of ['Start', 'Groups']) expect(conditionOf(sid)).toContain(becoming);
  expect(conditionOf('TagWhatIsMade')).toContain('ec2:CreateAction');
  // Without a condition nothing but lists is allowed on everything.
  const open = made.Statement.filter(({ Condition, Resource }) => Condition === undefined && Resource.includes('*'));
  expect(open.map(({ Sid }) => Sid)).toEqual(['Look']);
  expect(open[0]?.Action.filter((action) => !/:(Describe|GetServiceQuota|ListAllMyBuckets)/.test(action))).toEqual([]);
});

test('it lies in one region and one account, and gives one role to EC2 alone', () => {
  const resources = made.Statement.flatMap(({ Resource }) => Resource);
  expect(resources.filter((arn) => arn.includes(':ec2:') && !arn.startsWith('arn:aws:ec2:eu-west-1:'))).toEqual([]);
  expect(resources).toContain('arn:aws:iam::123456789012:role/quorate');
  const none = policy({ region: 'cn-north-1', account: '*', role: '', of: 'operators' });
  expect(JSON.stringify(none)).not.toContain('PassRole');
  expect(JSON.stringify(none)).toContain('arn:aws-cn:s3:::quorate-*');
});

test('the role of instances may do less: it makes no bucket and no check, and neither stops nor starts again', () => {
  const actionsIn = ({ Statement }: typeof made) => new Set(Statement.flatMap(({ Action }) => Action));
  const instances = policy({ ...place, of: 'instances' });
  const [less, more] = [actionsIn(instances), actionsIn(made)];
  expect([...more].filter((action) => !less.has(action)).sort()).toEqual([...OPERATORS_ACTIONS].sort());
  expect([...less].filter((action) => !more.has(action))).toEqual([]);
  for (const action of ['ec2:RunInstances', 'ec2:TerminateInstances', 's3:GetObject', 's3:PutObject', 'iam:PassRole']) {
    expect(less).toContain(action);
  }
  expect(instances.Statement.filter(({ Action }) => Action.length === 0)).toEqual([]);
});

test('it fits into a managed policy', () => {
  expect(JSON.stringify(made).length).toBeLessThan(6_144);
});
