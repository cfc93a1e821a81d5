import { defineConfig } from 'vitest/config';

/** Where CI wants the counts of each run, one file each. */
const reports = process.env.QUORATE_TEST_REPORTS;

/**
 * Each file starts real servers, which fill two cores while anything changes. With a second file beside it both take longer than
 * one after the other, as what comes too late is done again.
 */
const onRealServers = {
  pool: 'forks' as const,
  maxWorkers: 1,
  globalSetup: ['test/support/servers.ts'],
  testTimeout: 240_000,
  hookTimeout: 120_000,
};

export default defineConfig({
  test: {
    reporters: ['default', ...(reports ? ['json'] : [])],
    ...(reports ? { outputFile: { json: `${reports}/${process.pid}.json` } } : {}),
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'workflows/**/*.test.ts',
            'activities/**/*.test.ts',
            'test/unit/**/*.test.ts',
            'test/crash/cases.test.ts',
            'test/campaign/**/*.test.ts',
            'test/fuzz/**/*.test.ts',
          ],
          pool: 'forks',
        },
      },
      {
        test: {
          name: 'model',
          include: ['test/model/**/*.test.ts'],
          pool: 'forks',
          // Explorations, which keep a processor busy each.
          maxWorkers: 2,
          testTimeout: 600_000,
        },
      },
      { test: { name: 'integration', include: ['test/integration/**/*.test.ts'], ...onRealServers } },
      // More than continuous integration has time for.
      { test: { name: 'long', include: ['test/long/**/*.test.ts'], ...onRealServers } },
      {
        test: {
          name: 'crash',
          include: ['test/crash/crash.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          globalSetup: ['test/support/servers.ts'],
          testTimeout: 600_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
