/** One figure of Prometheus' text format. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/gy;
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];

/** Reads the text format strictly: throws at a line that Prometheus would refuse, and at a name whose type is said twice. */
export function samplesOf(text: string): Sample[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const typed = new Set<string>();
  return text.split('\n').flatMap((line): Sample[] => {
    if (line === '' || line.startsWith('# HELP ')) return [];
    if (line.startsWith('# TYPE ')) {
      const [name = '', type = ''] = line.slice(7).split(' ');
      if (!TYPES.includes(type)) throw new Error(`there is no type ${type}: ${line}`);
      if (typed.has(name)) throw new Error(`the type of ${name} is said twice`);
      typed.add(name);
      return [];
    }
    const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? [];
    const family = [name, name.replace(/_(bucket|sum|count|total)$/, '')].find((each) => typed.has(each));
    if (family === undefined) throw new Error(`a figure whose type was not said: ${line}`);
    const number = value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value);
    // Prometheus reads it in any case; prom-client writes a mean of nothing as Nan.
    if (Number.isNaN(number) && value.toLowerCase() !== 'nan') throw new Error(`no number: ${line}`);
    return [{ name, labels: labelsOf(labels, line), value: number }];
  });
}

/** The one figure of that name and those labels; undefined when there is none. */
export function figureOf(
  samples: readonly Sample[],
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  return samples.find(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  )?.value;
}

function labelsOf(text: string, line: string): Record<string, string> {
  const found = [...text.matchAll(LABEL)];
  if (found.reduce((length, [whole]) => length + whole.length, 0) !== text.length) throw new Error(`labels: ${line}`);
  return Object.fromEntries(found.map(([, name = '', value = '']) => [name, value]));
}
