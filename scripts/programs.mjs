// Bundles each program that is started as a process. Node finds, reads and compiles hundreds of small files otherwise, which
// was about half of the processor time that a controller's three processes took until they answered.
import path from 'node:path';
import { rolldown } from 'rolldown';

const PROGRAMS = {
  quorate: 'dist/src/cli/main.js',
  quorated: 'dist/src/agent/main.js',
  'api-server': 'dist/src/controller/main.js',
  'controller-worker': 'dist/workers/controller.js',
  'engine-worker': 'dist/workers/engine.js',
  gateway: 'dist/src/cloud/local/ingress/main.js',
};

/** What Temporal's worker loads to bundle workflows. The build has done that, so no program does. */
const BUNDLERS = new Set(['webpack', 'memfs', 'unionfs', 'swc-loader', 'source-map-loader']);
const NOTHING = '\0nothing';
const THREAD = 'workflow-thread';

/** Temporal's worker starts its thread for workflows from a file of its own package: that is bundled beside it. */
const temporalWorker = {
  name: 'temporal-worker',
  resolveId: (id, importer) => (BUNDLERS.has(id) && importer?.includes('@temporalio') ? NOTHING : null),
  load: (id) => (id === NOTHING ? 'export {};' : null),
  transform(code, id) {
    const file = id.split('@temporalio/worker/lib/workflow/')[1];
    if (file === 'threaded-vm.js') {
      return replaced(
        code,
        "require.resolve('./workflow-worker-thread')",
        `new URL('../${THREAD}.js', import.meta.url)`,
      );
    }
    return file === 'bundler.js' ? replaced(code, "require.resolve('../workflow-log-interceptor')", "''") : null;
  },
};

function replaced(code, before, after) {
  if (code.split(before).length !== 2) throw new Error(`@temporalio/worker is another one: it has not one ${before}`);
  return code.replace(before, after);
}

/** Writes them, with what they share, into dist/programs. */
export async function bundlePrograms(root) {
  const bundle = await rolldown({
    cwd: root,
    input: { ...PROGRAMS, [THREAD]: 'node_modules/@temporalio/worker/lib/workflow/workflow-worker-thread.js' },
    platform: 'node',
    // They find machine code of theirs in their own packages, which are dependencies of ours for that.
    external: ['@temporalio/core-bridge', 'source-map'],
    plugins: [temporalWorker],
    transform: { define: { __filename: 'import.meta.filename', __dirname: 'import.meta.dirname' } },
    onLog(level, log) {
      if (level === 'warn') throw new Error(log.message);
    },
  });
  await bundle.write({
    dir: path.join(root, 'dist', 'programs'),
    format: 'esm',
    cleanDir: true,
    // `temporalWorker` counts on that folder.
    chunkFileNames: 'shared/[name].js',
  });
  await bundle.close();
}
