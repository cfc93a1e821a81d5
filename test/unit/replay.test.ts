import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
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
  expect([...typesOf(histories), ...NOT_RECORDED].sort()).toEqual(Object.keys(workflows).sort());
});

async function replay(name: string, text: string): Promise<void> {
  const { workflowId, history } = JSON.parse(text);
  const decoded = proto.temporal.api.history.v1.History.fromObject(history);
  await Worker.runReplayHistory({ workflowBundle: { code }, replayName: name }, decoded, workflowId);
}

test.each(histories)('%s', (file) => replay(file, readFileSync(join(directory, file), 'utf8')), 30_000);

/**
 * Of the last release, packed: what runs of it are moved to today's code in their middle. A release alone replaces them
 * (docs/changing.md); a workflow that cannot replay one of them needs `patched`.
 */
const released = readdirSync(join(directory, 'released'));

test('every workflow that is moved to the next version in its middle has a history of the last release', () => {
  const moved = Object.entries(workflows).filter(
    ([type, workflow]) => isMoved(workflow) && !NOT_RECORDED.includes(type),
  );
  expect(typesOf(released)).toEqual(moved.map(([type]) => type).sort());
});

test.each(released)(
  'of the last release: %s',
  (file) => replay(file, gunzipSync(readFileSync(join(directory, 'released', file))).toString()),
  30_000,
);

const typesOf = (files: readonly string[]) =>
  [...new Set(files.map((file) => file.replace(/(-.*)?\.json(\.gz)?$/, '')))].sort();

const isMoved = (workflow: object) => {
  const { workflowDefinitionOptions: options } = workflow as {
    workflowDefinitionOptions?: { versioningBehavior?: string };
  };
  return options?.versioningBehavior === 'AUTO_UPGRADE';
};
