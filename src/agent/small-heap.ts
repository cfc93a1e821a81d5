import { setFlagsFromString } from 'node:v8';

// The agent idles on every machine. Imported first, so that the heap keeps small also while the rest is loaded.
setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--optimize-for-size');
