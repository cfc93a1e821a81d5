// Builds the page that API servers serve: one script, one style sheet, an icon, each named by its contents, and index.html.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { rolldown } from 'rolldown';

/** Writes it into dist/page. */
export async function bundlePage(root) {
  const from = (name) => path.join(root, 'src', 'page', name);
  const into = path.join(root, 'dist', 'page');
  const assets = {
    'page.js': await script(root, from('main.tsx')),
    'page.css': readFileSync(from('page.css'), 'utf8'),
    'icon.svg': readFileSync(from('icon.svg'), 'utf8'),
  };
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true });
  let html = readFileSync(from('index.html'), 'utf8');
  for (const [name, contents] of Object.entries(assets)) {
    const { name: stem, ext } = path.parse(name);
    const hashed = `${stem}-${createHash('sha256').update(contents).digest('hex').slice(0, 16)}${ext}`;
    writeFileSync(path.join(into, hashed), contents);
    html = html.replace(`{{${name}}}`, hashed);
  }
  writeFileSync(path.join(into, 'index.html'), html);
}

async function script(root, input) {
  const bundle = await rolldown({
    cwd: root,
    input,
    platform: 'browser',
    tsconfig: path.join(root, 'tsconfig.page.json'),
    resolve: { extensionAlias: { '.js': ['.js', '.ts', '.tsx'] } },
    onLog(level, log) {
      if (level === 'warn') throw new Error(log.message);
    },
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true, codeSplitting: false });
  await bundle.close();
  if (output.length !== 1) throw new Error(`the page's script is one file, not ${output.length}`);
  return output[0].code;
}
