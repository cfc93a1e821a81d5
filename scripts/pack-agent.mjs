// Packs what an instance needs of this package: `npm run pack:agent -- x86_64 DIRECTORY` writes one .tar.gz there and says its
// SHA-256, as sha256sum does. The build comes first: `npm run build`.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const [processor, directory] = process.argv.slice(2);
if (!['x86_64', 'arm64'].includes(processor) || directory === undefined) {
  process.stderr.write('Usage: npm run pack:agent -- x86_64|arm64 DIRECTORY\n');
  process.exit(2);
}
const { packAgent } = await import('../dist/src/pack/agent-archive.js');
const { version, bytes, sha256 } = await packAgent(processor);
mkdirSync(directory, { recursive: true });
const file = path.join(directory, `quorate-${version}-linux-${processor}.tar.gz`);
writeFileSync(file, bytes);
process.stdout.write(`${sha256}  ${file}\n`);
