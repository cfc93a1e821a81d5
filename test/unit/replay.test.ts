import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import proto from '@temporalio/proto';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../src/package.js';
import * as workflows from '../../workflows/index.js';

/**
 * Runs of real servers must still be the runs of today's code: singletons move to it in the middle, and changes are shown by
 * it. Recorded by `QUORATE_RECORD_HISTORIES=1 npx vitest run --project integration --project long workflows sentinel recover replace`,
 * with or without some of the files.
 * When a change of workflow code is meant to differ, record again: changes are pinned to their version, so only the
 * singletons need `patched`.
 */
const directory = join(packageRoot(), 'test/histories');
const histories = readdirSync(directory).filter((file) => file.endsWith('.json'));
let code = '';

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  ({ code } = await bundleWorkflowCode({
    workflowsPath: join(packageRoot(), 'workflows/index.ts'),
    workflowInterceptorModules: [join(packageRoot(), 'workflows/trace-header.ts')],
    logger: new DefaultLogger('ERROR'),
    // From the sources: webpack does not find x.ts behind x.js by itself.
    webpackConfigHook: (config) => ({
      ...config,
      resolve: { ...config.resolve, extensionAlias: { '.js': ['.ts', '.js'] } },
    }),
  }));
}, 60_000);

/** No history is recorded of those, which only look and end at once. */
const NOT_RECORDED = ['planChange', 'surveyMembers'];

test('every kind of workflow has a history, but for two that have none', () => {
  const types = new Set(histories.map((file) => file.replace(/(-.*)?\.json$/, '')));
  expect([...types, ...NOT_RECORDED].sort()).toEqual(Object.keys(workflows).sort());
});

test.each(histories)(
  '%s',
  async (file) => {
    const { workflowId, history } = JSON.parse(readFileSync(join(directory, file), 'utf8'));
    const decoded = proto.temporal.api.history.v1.History.fromObject(history);
    await Worker.runReplayHistory({ workflowBundle: { code }, replayName: file }, decoded, workflowId);
  },
  30_000,
);
