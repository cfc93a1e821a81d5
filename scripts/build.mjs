// Builds dist/: the compiler's output, then from that the programs and the workflow bundle that workers load ahead of time.
// Does nothing when nothing changed since the last build, so every command that needs a build may call it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundlePage } from './page.mjs';
import { bundlePrograms } from './programs.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const at = (...segments) => path.join(root, ...segments);
const stampFile = at('dist', '.built.json');
const bundleFile = at('dist', 'workflow-bundle.js');

function filesUnder(entry, wanted) {
  if (!existsSync(at(entry))) return [];
  if (path.extname(entry) !== '') return [entry];
  return readdirSync(at(entry), { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && wanted(file.name))
    .map((file) => path.relative(root, path.join(file.parentPath, file.name)));
}

function digest(entries, wanted) {
  const hash = createHash('sha256');
  for (const file of entries.flatMap((entry) => filesUnder(entry, wanted)).sort()) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(at(file)))
      .update('\0');
  }
  return hash.digest('hex');
}

const readStamp = () => {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'));
  } catch {
    return {}; // never built, or the stamp was cut short: build
  }
};

const stamp = readStamp();
const config = [
  ...['tsconfig.json', 'tsconfig.page.json', 'package.json', 'package-lock.json'],
  ...['scripts/build.mjs', 'scripts/page.mjs', 'scripts/programs.mjs'],
];
const sources = digest(
  [
    ...config,
    'src',
    'workflows',
    'activities',
    'workers',
    'bench',
    'test/support',
    'test/campaign',
    'test/fuzz',
    'test/model',
  ],
  (name) => /\.(tsx?|css|html|svg)$/.test(name) && !name.endsWith('.test.ts'),
);
if (stamp.sources === sources && existsSync(bundleFile)) process.exit(0);
process.stderr.write('Building dist\n');
rmSync(stampFile, { force: true }); // whatever happens below, a build that was broken off is not taken for a whole one

const tsc = spawnSync(process.execPath, [at('node_modules', 'typescript7', 'bin', 'tsc'), '-p', at('tsconfig.json')], {
  stdio: 'inherit',
});
if (tsc.status !== 0) process.exit(tsc.status ?? 1);

await Promise.all([bundlePrograms(root), bundlePage(root)]);

// What workflow code may import is held by .dependency-cruiser.cjs; so these are all the bundle is made of.
const bundled = digest(
  ['package-lock.json', 'dist/workflows', 'dist/src/membership', 'dist/src/temporal/names.js'],
  (name) => name.endsWith('.js'),
);
if (stamp.bundled !== bundled || !existsSync(bundleFile)) {
  const { bundleWorkflowCode, DefaultLogger } = await import('@temporalio/worker');
  const { code } = await bundleWorkflowCode({
    workflowsPath: at('dist', 'workflows', 'index.js'),
    workflowInterceptorModules: [at('dist', 'workflows', 'trace-header.js')],
    logger: new DefaultLogger('WARN'),
  });
  writeFileSync(`${bundleFile}.new`, code);
  renameSync(`${bundleFile}.new`, bundleFile);
}
writeFileSync(stampFile, JSON.stringify({ sources, bundled }));
