/**
 * `npm run model`: explores by hand. `--deep` takes the runs that continuous integration has no time for; any other word
 * chooses runs whose name has it. Exits with 1 when something is wrong, after telling how it came.
 */
import { explore } from './explore.js';
import { HEADING, RUNS, told } from './runs.js';

const args = process.argv.slice(2);
const deep = args.includes('--deep');
const words = args.filter((arg) => !arg.startsWith('-'));
const chosen = RUNS.filter(
  ({ group, name }) => (group === 'deep') === deep && words.every((word) => name.includes(word)),
);
console.log(HEADING);
for (const run of chosen) {
  const explored = explore(run.first, run.rules, run.most === null ? {} : { most: run.most });
  console.log(told(run, explored));
  for (const [end, states] of explored.ends)
    console.log(`    ${states.toLocaleString('en').padStart(10)} times ${end}`);
  if (explored.found === null) continue;
  console.log(`    ${explored.found.wrong.invariant}\n      ${explored.found.story.join('\n      ')}`);
  process.exitCode = 1;
}
