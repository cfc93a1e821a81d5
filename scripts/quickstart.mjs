// `npm run quickstart` in a fresh clone: installs and builds what is missing, then is `quorate quickstart`.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './ready.mjs';

// In this very process, so that signals and the exit code are the command's own.
const entry = path.join(root, 'bin', 'quorate.js');
process.argv = [process.argv[0], entry, 'quickstart', ...process.argv.slice(2)];
await import(pathToFileURL(entry).href);
