import { plan } from '../../src/membership/plan.js';
import type { FaultKind, Rules } from './actions.js';
import { CAREFUL } from './executors.js';
import { explore } from './explore.js';
import { REAL } from './server.js';
import { atRest } from './state.js';

const [from, to, faults, writes, kinds, proof] = process.argv.slice(2) as string[];
const rules: Rules = {
  controllers: Number(to),
  faults: new Set((kinds ?? 'crash,end,cut').split(',') as FaultKind[]),
  plan,
  world: { executors: CAREFUL, server: REAL, proof: (proof ?? 'note') as never },
  rules: true,
};
const out = explore(atRest(Number(from), { writes: Number(writes), faults: Number(faults) }), rules, {
  most: Number(process.env.MOST ?? 3e6),
  ...(process.env.SEEK ? { seek: new RegExp(process.env.SEEK) } : {}),
});
console.log(
  out.states,
  'states',
  out.transitions,
  'transitions',
  out.depth,
  'deep',
  out.seconds.toFixed(1),
  's',
  out.cut ? 'CUT' : '',
  (out.transitions / out.seconds / 1000).toFixed(0),
  'k/s',
  Math.round(process.memoryUsage().rss / 1e6),
  'MB',
);
for (const [end, n] of [...out.ends].sort((a, b) => b[1] - a[1]).slice(0, 15)) console.log(n, end);
if (out.found) console.log(out.found.wrong, `\n  ${out.found.story.join('\n  ')}`);
