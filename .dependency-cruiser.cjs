/** The direction of imports (docs/architecture.md). */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true, dependencyTypesNot: ['type-only'] } },
    {
      name: 'membership-imports-nothing',
      severity: 'error',
      from: { path: '^src/membership', pathNot: '\\.test\\.ts$' },
      to: { pathNot: '^src/membership' },
    },
    {
      name: 'workflows-import-no-io',
      comment: 'Workflow code is deterministic: types from anywhere, code only from membership and temporal names.',
      severity: 'error',
      from: { path: '^workflows', pathNot: '\\.test\\.ts$' },
      to: {
        pathNot: ['^workflows', '^src/membership', '^src/temporal/names', 'node_modules/@temporalio/(workflow|common)'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'nobody-imports-cli',
      severity: 'error',
      from: { pathNot: '^(src/cli/|bench)' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'clouds-know-nothing-of-us',
      severity: 'error',
      from: { path: '^src/cloud' },
      to: { path: '^(src/(state|controller|agent|cli|client)|workflows|activities|workers)' },
    },
    {
      name: 'ec2-is-loaded-where-the-cloud-is-ec2',
      comment: 'The SDK takes most of a second to load: whoever needs EC2 imports it at that moment.',
      severity: 'error',
      from: { pathNot: '^src/cloud/ec2/' },
      to: { path: ['^src/cloud/ec2/', 'node_modules/@aws-sdk/'], dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'state-knows-no-one-above',
      severity: 'error',
      from: { path: '^src/state' },
      to: { path: '^(src/(controller|agent|cli|client|cloud)|workflows|activities|workers)' },
    },
    {
      name: 'src-does-not-import-processes',
      severity: 'error',
      from: { path: '^src/(?!cli)' },
      to: { path: '^(workflows|activities|workers)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'the-page-runs-in-browsers',
      comment:
        'What it shares with the rest is pure: words of the API and the order of succession. Types from anywhere.',
      severity: 'error',
      from: { path: '^src/page', pathNot: '\\.test\\.ts$' },
      to: {
        pathNot: ['^src/(page|api|membership)/', 'node_modules/preact'],
        dependencyTypesNot: ['type-only'],
      },
    },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
