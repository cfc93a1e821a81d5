import { Command, Option } from 'commander';
import { columns } from '../src/cli/output.js';
import { benches } from './benches.js';
import { type Extent, type Figure, figuresOf, type Sample } from './figure.js';

interface Options {
  readonly runs: string;
  readonly minutes: string;
  readonly agents?: string;
  readonly controllers?: '1' | '3' | '5';
  readonly json?: boolean;
}

const program = new Command('bench')
  .argument('[names...]', `what to measure (default: all): ${Object.keys(benches).join(', ')}`)
  .option('--runs <n>', 'how often', '3')
  .option('--minutes <n>', 'how long what has to be watched for a while is watched (steadiness, actions)', '10')
  .option('--agents <n>', 'how many at most (crowd, machines-100)')
  .addOption(new Option('--controllers <n>', 'how many (crowd)').choices(['1', '3', '5']))
  .option('--json', 'one JSON object for each benchmark')
  .action(async (names: string[], options: Options) => {
    const runs = Number(options.runs);
    if (!Number.isInteger(runs) || runs < 1) program.error('--runs is a whole number of at least 1');
    const minutes = Number(options.minutes);
    if (!(minutes > 0)) program.error('--minutes is a number greater than 0');
    const agents = options.agents === undefined ? undefined : Number(options.agents);
    if (agents !== undefined && !(Number.isInteger(agents) && agents > 0))
      program.error('--agents is a whole number of at least 1');
    const extent: Extent = {
      ...(agents === undefined ? {} : { agents }),
      ...(options.controllers === undefined ? {} : { controllers: Number(options.controllers) as 1 | 3 | 5 }),
    };
    for (const name of names.length > 0 ? names : Object.keys(benches)) {
      const bench = benches[name];
      if (!bench)
        return program.error(`there is no benchmark '${name}'; there are: ${Object.keys(benches).join(', ')}`);
      const samples: Sample[] = [];
      for await (const sample of bench.measure(runs, minutes, extent)) {
        samples.push(sample);
        const floor = sample.floor === undefined ? '' : ` (floor ${sample.floor.toFixed(3)})`;
        process.stderr.write(`${sample.name}: ${sample.value.toFixed(3)}${floor}\n`);
      }
      const figures = figuresOf(bench, samples);
      process.stdout.write(
        options.json
          ? `${JSON.stringify({ bench: name, runs, figures })}\n`
          : `\n${await table(name, runs, figures)}\n`,
      );
    }
  });

function table(name: string, runs: number, figures: readonly Figure[]): Promise<string> {
  const text = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(3));
  return columns(
    [`${name} (${runs} runs)`, 'UNIT', 'MIN', 'MEDIAN', 'MAX', 'FLOOR', 'GOAL', ''],
    figures.map(({ name: figure, unit, min, median, max, floor, goal }) => [
      figure,
      unit,
      text(min),
      text(median),
      text(max),
      floor ? text(floor.median) : '',
      goal === null ? '' : text(goal),
      goal === null ? '' : median <= goal ? 'met' : 'missed',
    ]),
  );
}

await program.parseAsync();
