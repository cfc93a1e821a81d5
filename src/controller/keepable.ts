/** Deeper than anything that is said on purpose; MongoDB keeps a hundred levels. */
const DEEPEST = 12;

/**
 * Whether MongoDB can keep a JSON value, whatever it says beside what its schema knows: the driver throws at a name with a
 * NUL or at what is nested without end, and beats are written many at a time, so one agent's would be the loss of all. Names
 * that begin with `$` or have a dot are kept, and never found again. Pure.
 */
export function isKeepable(value: unknown, left = DEEPEST): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (left === 0) return false;
  if (Array.isArray(value)) return value.every((item) => isKeepable(item, left - 1));
  return Object.entries(value).every(([name, item]) => !/^\$|[.\0]/.test(name) && isKeepable(item, left - 1));
}
