// `npm run quickstart` in a fresh clone: installs and builds what is missing, then is `quorate quickstart`.
import './ready.mjs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

// In this very process, so that signals and the exit code are the command's own.
const entry = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), 'bin', 'quorate.js');
process.argv = [process.argv[0], entry, 'quickstart', ...process.argv.slice(2)];
await import(pathToFileURL(entry).href);
