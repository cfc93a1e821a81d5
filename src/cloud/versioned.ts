import type { Versioned } from './cloud.js';

/** The version of what lies in a bucket, from its text; 0 for what cannot be understood: it is then written anew. Pure. */
export function versionIn(text: string): number {
  try {
    const version = (JSON.parse(text) as Partial<Versioned> | null)?.version;
    return typeof version === 'number' ? version : 0;
  } catch (error) {
    if (error instanceof SyntaxError) return 0;
    throw error;
  }
}
