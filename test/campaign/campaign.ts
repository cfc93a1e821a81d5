import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../../src/errors.js';
import { durationMs } from '../../src/state/settings.js';
import { termOf } from '../support/member.js';
import type { Site } from '../support/sites/site.js';
import { type Act, type Entry, wordsOf } from './acts.js';
import { Clients, readAll } from './clients.js';
import { differences, leftovers, untilWhole } from './ending.js';
import { Faults } from './faults.js';
import { Figures } from './figures.js';
import { ENVIRONMENT, Ground } from './ground.js';
import type { Anomaly, Final } from './history.js';
import { type Graces, losses, replacementsOf, undeserved } from './losses.js';
import { Operators } from './operators.js';
import type { Schedule, Settings } from './schedule.js';
import { Story } from './story.js';
import { judge } from './verdict.js';
import { Watcher } from './watcher.js';

/** Of all settings that the clients write. */
const PREFIX = 'x-c-';

export interface Result {
  readonly good: boolean;
  /** What is printed at the end. */
  readonly text: string;
  readonly checks: number;
  readonly failed: number;
}

/** One run: an environment of its own, a schedule, and the check. */
export class Campaign {
  readonly story: Story;
  readonly #figures = new Figures();
  #clients: Clients | null = null;
  /** Nobody acts any more: what one actor starts after the end would outlive it. */
  readonly #over = new AbortController();
  #ended: Promise<void> | null = null;

  constructor(
    private readonly schedule: Schedule,
    private readonly site: Site,
  ) {
    const live = process.stdout.isTTY;
    this.story = new Story((line) => {
      if (live) process.stdout.write(`\r\x1b[2K${line.slice(0, process.stdout.columns - 1)}`);
      else process.stdout.write(`${line}\n`);
    });
  }

  async run(): Promise<Result> {
    const { controllers, config } = this.schedule.settings;
    const { cloudName, home } = this.site;
    this.story.tell('campaign', `bootstrap ${cloudName} -n ${controllers} with ${config.join(', ')}`);
    const settings = config.flatMap((setting) => ['--config', setting]);
    await home.ok('bootstrap', cloudName, ENVIRONMENT, '-n', String(controllers), ...settings);
    const ground = await Ground.open(this.site);
    try {
      return await this.#runOn(ground, this.schedule);
    } finally {
      await ground.close();
    }
  }

  async #runOn(ground: Ground, schedule: Schedule): Promise<Result> {
    const faults = new Faults(ground, this.story);
    const operators = new Operators(ground, this.story);
    const clients = new Clients(PREFIX, () => ground.client());
    const watcher = new Watcher(await ground.client(), PREFIX, this.story);
    this.#clients = clients;
    const termBefore = await termNow(ground);
    await watcher.start();
    clients.start();
    await this.#follow(schedule, faults, operators);
    this.story.tell('ending', 'no more faults; everything is taken back');
    await faults.heal();
    await operators.rest();
    const { pace } = schedule.settings.terrain;
    const { lacks, helped } = await untilWhole(ground, this.story, pace.wholeMs);
    await clients.stop();
    const wrong = lacks.map((lack) => `not whole again: ${lack}`);
    wrong.push(...clients.defects.map((defect) => `a client was answered: ${defect}`));
    wrong.push(...operators.defects.map((defect) => `an operator was answered: ${defect}`));
    if (helped !== null && helped.why === null)
      wrong.push(`a person had to help, and why is not known: ${helped.lacks}`);
    const anomalies: Anomaly[] = [];
    let final: Final = new Map();
    let checks = 3;
    const check = async (what: string, work: () => Promise<string[]>) => {
      checks += 1;
      try {
        wrong.push(...(await work()));
      } catch (error) {
        wrong.push(`${what} could not be checked: ${reasonOf(error)}`);
      }
    };
    await check('what the clients wrote', async () => {
      const api = await ground.client();
      try {
        final = await readAll(api, PREFIX);
        const verdict = await judge(clients, final, this.#files());
        anomalies.push(...verdict.anomalies);
        checks += verdict.checks - 1;
      } finally {
        await api.close();
      }
      return [];
    });
    await check('what the watcher was told', () => watcher.end(final));
    this.#figures.events = watcher.events;
    await check('the members', () => differences(ground));
    await check('what is left over', () => leftovers(ground, pace.tidiedMs));
    this.#figures.elections = (await termNow(ground).catch(() => termBefore)) - termBefore;
    this.#figures.changes = await this.#changes();
    await check('what the sentinel replaced', async () => {
      const graces = gracesOf(schedule.settings);
      const replacements = replacementsOf(await ground.changes());
      const deserved = losses(faults.outages, graces, Date.now());
      this.#figures.replacements = { asked: replacements.length, deserved: deserved.length };
      const without = undeserved(replacements, faults.outages, graces);
      for (const each of without) this.story.tell('sentinel', each);
      return without;
    });
    this.#figures.problems = ground.last.ha.problems;
    this.#figures.helped = helped;
    if (wrong.length + anomalies.length > 0) this.#keepLogs();
    await check('the end of the environment', () => this.#destroy());
    return this.#result(clients, wrong, anomalies, checks);
  }

  /**
   * Does every entry at its time, however long those before it take; one actor does one thing after the other. When one of
   * them breaks off, so do the others.
   */
  async #follow({ entries, seconds }: Schedule, faults: Faults, operators: Operators): Promise<void> {
    const began = performance.now();
    const sleepUntil = (at: number) =>
      sleep(Math.max(0, began + at * 1000 - performance.now()), undefined, {
        signal: this.#over.signal,
      });
    const actors = [...new Set(entries.map(({ actor }) => actor))];
    const acting = actors.map(async (actor) => {
      for (const entry of entries.filter((each) => each.actor === actor)) {
        await sleepUntil(entry.at);
        await this.#act(entry, faults, operators);
      }
    });
    await Promise.all(acting).catch((error) => {
      this.#over.abort();
      throw error;
    });
    await sleepUntil(seconds);
  }

  async #act({ actor, act }: Entry, faults: Faults, operators: Operators): Promise<void> {
    let done: boolean;
    if (act.kind === 'command') done = await operators.type(actor, act);
    else {
      const what = await faults.do(act);
      done = what !== null;
      if (what !== null) this.story.tell(actor, what);
    }
    if (done) this.#figures.count(act);
    else this.story.tell(actor, `passed over: ${wordsOf(act)}`);
  }

  async #changes(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    const { code, stdout } = await this.site.home.run('changes', '--format', 'json');
    if (code !== 0) return counts;
    for (const { kind, state } of JSON.parse(stdout) as { kind: string; state: string }[]) {
      const name = `${kind} ${state}`;
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }

  /** Destroys the environment: nothing of it may be there afterwards. */
  async #destroy(): Promise<string[]> {
    const traces = await this.site.traces(ENVIRONMENT);
    const { code, stderr, stdout } = await this.site.home.run('destroy-environment', ENVIRONMENT, '--yes');
    if (code !== 0) return [`destroy-environment ended with ${code}: ${stderr.trim()} ${stdout.trim()}`];
    return (await traces.left()).map((each) => `left after destroy-environment: ${each}`);
  }

  #result(clients: Clients, wrong: readonly string[], anomalies: readonly Anomaly[], checks: number): Result {
    const good = wrong.length === 0 && anomalies.length === 0;
    const failed = Math.min(checks, wrong.length + anomalies.length);
    const lines = [this.#figures.words(clients.operations, anomalies.length), ''];
    if (good) lines.push(`Good: ${checks} checks, nothing lost.`);
    else {
      lines.push(`${wrong.length + anomalies.length} things are wrong:`);
      lines.push(...wrong.slice(0, 20).map((each) => `- ${each}`));
      lines.push(...anomalies.slice(0, 10).map((anomaly) => `- ${this.#told(anomaly)}`));
    }
    return { good, text: lines.join('\n'), checks, failed };
  }

  #told({ what, operations }: Anomaly): string {
    const told = operations.map((operation) => {
      const { kind, client, version, value, outcome, why, invokedAt, returnedAt } = operation;
      const short = value.length > 60 ? `…${value.slice(-60)}` : value;
      const when = `${this.story.seconds(invokedAt)} to ${this.story.seconds(returnedAt)}`;
      return `\n    ${when}: client ${client} ${kind} ${version} "${short}": ${outcome} ${why}`;
    });
    return what + told.join('');
  }

  /** Writes the story and the history beside the environment's own files. @returns the directory */
  keep({ text }: Pick<Result, 'text'>): string {
    const files = this.#files();
    const story = [
      'What was to be done',
      scheduleWords(this.schedule),
      '',
      'What was done',
      this.story.whole(),
      '',
      text,
      '',
    ];
    writeFileSync(join(files, 'story.txt'), story.join('\n'));
    writeFileSync(join(files, 'history.json'), JSON.stringify(this.#clients?.operations ?? []));
    return this.site.home.dir;
  }

  /** What the programs of the instances said, which ends with them. */
  #keepLogs(): void {
    const instances = this.site.machines;
    const logs = readdirSync(instances, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.log'));
    const directory = join(this.#files(), 'logs');
    mkdirSync(directory, { recursive: true });
    for (const log of logs) copyFileSync(join(instances, log), join(directory, log.replaceAll('/', '_')));
  }

  #files(): string {
    const directory = join(this.site.home.dir, 'campaign');
    mkdirSync(directory, { recursive: true });
    return directory;
  }

  /** Ends every process. @param keep whether the files stay */
  end(keep: boolean): Promise<void> {
    this.#over.abort();
    this.#ended ??= this.site.close(keep);
    return this.#ended;
  }
}

/** The graces that an environment was made with. */
function gracesOf({ config, terrain }: Settings): Graces {
  const settings = new Map(config.map((setting) => setting.split('=') as [string, string]));
  const ms = (name: string) => durationMs(settings.get(name) ?? '') ?? 0;
  const { recoversMs, lateMs } = terrain.pace;
  return { silentMs: ms('grace'), stoppedMs: ms('stopped-grace'), recoversMs, lateMs };
}

/** A schedule as it is printed. */
export function scheduleWords({ seed, settings, entries }: Schedule): string {
  const lines = entries.map(({ at, actor, act }: { at: number; actor: string; act: Act }) => {
    return `${at.toFixed(2).padStart(8)}  ${actor.padEnd(15)} ${wordsOf(act)}`;
  });
  return [
    `seed ${seed}: ${settings.controllers} controllers on ${settings.terrain.cloud}, ${settings.config.join(', ')}`,
    ...lines,
  ].join('\n');
}

async function termNow(ground: Ground): Promise<number> {
  const client = await ground.member(ground.last.ha.primary ?? '');
  try {
    return await termOf(client);
  } finally {
    await client.close(true);
  }
}
