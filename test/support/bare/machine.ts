import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readBootFiles } from '../../../src/cloud/ec2/boot/files.js';
import type { Archive, BootSources } from '../../../src/cloud/ec2/boot/sources.js';
import { bootText } from '../../../src/cloud/ec2/boot/text.js';
import { packageRoot } from '../../../src/package.js';
import { until } from '../home.js';

const HERE = path.join(packageRoot(), 'test/support/bare');
const REGION = 'eu-west-1';
const ROLE = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'a/secret+key', sessionToken: 'a+session/token==' };

/** What a machine finds where it is. */
export interface Surroundings {
  /** A metadata service; there is one by default. */
  readonly metadata?: boolean;
  /** A role; it has one by default. */
  readonly role?: boolean;
  /** Of its disk, in MB; then its disk is gone when it is off. */
  readonly diskMb?: number;
  /** By URL's path, what the bucket has. */
  readonly files: Readonly<Record<string, string>>;
}

/** A machine with nothing on it, in namespaces of its own, that is switched on and off. */
export class BareMachine {
  #process: ChildProcess | null = null;
  readonly #group = `quorate-bare-${randomUUID()}`;

  /** @param scratch a directory of its own, where its disk is */
  constructor(
    private readonly root: string,
    readonly scratch: string,
  ) {}

  /** What it printed since it was switched on last. */
  get console(): string {
    // A terminal ends its lines with more than a line's end.
    return existsSync(this.#printed) ? readFileSync(this.#printed, 'utf8').replaceAll('\r', '') : '';
  }

  get #printed(): string {
    return path.join(this.scratch, 'console.log');
  }

  /** A file or folder of its disk. */
  disk(file: string): string {
    return path.join(this.scratch, 'disk/upper', file);
  }

  /** Switches it on with systemd as its first process; cloud-init does the rest. */
  async boot(text: string, surroundings: Surroundings): Promise<void> {
    const cloud = this.disk('etc/cloud/cloud.cfg.d');
    const units = this.disk('etc/systemd/system');
    await Promise.all([cloud, units].map((directory) => mkdir(directory, { recursive: true })));
    // It has its address already: nobody answers DHCP here.
    await writeFile(path.join(cloud, '99-test.cfg'), 'datasource_list: [Ec2]\nnetwork: {config: disabled}\n');
    for (const unit of [
      'cloud-init-local.service',
      'console-getty.service',
      'apt-daily.timer',
      'e2scrub_reap.service',
    ]) {
      if (!existsSync(path.join(units, unit))) await symlink('/dev/null', path.join(units, unit)).catch(() => {});
    }
    const systemd = ['/lib/systemd/systemd', '--log-target=console', '--show-status=yes'];
    const words = [
      '/bin/sh',
      path.join(HERE, 'machine.sh'),
      ...(await this.#told(surroundings, text)),
      '--',
      ...systemd,
    ];
    // A console is a terminal.
    this.#on('script', ['-qfec', words.map((word) => `'${word}'`).join(' '), '/dev/null'], {
      BARE_CGROUP: this.#group,
    });
  }

  /** Switches it on with nothing but a shell, in which the boot's text is run, with a systemctl that stands for systemd. */
  async run(text: string, surroundings: Surroundings, shell = 'sh'): Promise<void> {
    await mkdir(this.scratch, { recursive: true });
    await writeFile(path.join(this.scratch, 'hook'), text);
    // What lies on its disk is told, as nobody else can look.
    const first = `${shell} /root/hook; while :; do echo "parts: $(ls -A /opt/quorate/parts 2>&1 | tr "\\n" " ")"; sleep 1; done`;
    const words = [path.join(HERE, 'machine.sh'), ...(await this.#told(surroundings)), '--', 'sh', '-c', first];
    this.#on('/bin/sh', words, { BARE_SYSTEMCTL: path.join(HERE, 'systemctl') });
  }

  /** Waits for something on its console. */
  async says(what: RegExp, seconds = 180): Promise<string> {
    const seen = async () => what.exec(this.console)?.[0];
    return await until(`the console to say ${what}`, seen, seconds).catch((error) => {
      const said = this.console;
      const shown = said.length > 8000 ? `${said.slice(0, 4000)}\n…\n${said.slice(-4000)}` : said;
      throw new Error(`${error.message}\nIts console:\n${shown}`);
    });
  }

  /** Cuts its power. */
  async off(): Promise<void> {
    const process = this.#process;
    if (process?.pid === undefined) return;
    this.#process = null;
    const gone = new Promise((resolve) => process.once('exit', resolve));
    if (process.exitCode === null && process.signalCode === null) {
      process.kill('SIGKILL');
      await gone;
    }
    await until('its control groups to be left', async () => removeGroups(this.#group), 30);
  }

  #on(program: string, words: readonly string[], env: NodeJS.ProcessEnv): void {
    // A file, as whoever runs in there opens its console anew.
    writeFileSync(this.#printed, '');
    const printed = openSync(this.#printed, 'a');
    const child = spawn(program, words, {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', printed, printed],
    });
    closeSync(printed);
    this.#process = child;
  }

  async #told({ metadata = true, role = true, diskMb = 0, files }: Surroundings, userData?: string): Promise<string[]> {
    await mkdir(this.scratch, { recursive: true });
    await rm(path.join(this.scratch, 'services.log'), { force: true });
    const config = path.join(this.scratch, 'services.json');
    const instance = metadata ? { id: 'i-0123456789abcdef0', address: '10.20.0.9', zone: 'eu-west-1a' } : null;
    await writeFile(config, JSON.stringify({ instance, region: REGION, role: role ? ROLE : null, files, userData }));
    return [this.root, this.scratch, String(diskMb), process.execPath, path.join(HERE, 'services.mjs'), config];
  }
}

/** True once none is left. Nobody is in them when the machine is off. */
function removeGroups(name: string): boolean {
  const tops = ['.', 'systemd', 'unified']
    .map((kind) => path.join('/sys/fs/cgroup', kind, name))
    .filter((top) => existsSync(top));
  const remove = (directory: string) => {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      if (entry.isDirectory()) remove(path.join(directory, entry.name));
    }
    rmdirSync(directory);
  };
  for (const top of tops) remove(top);
  return true;
}

/** An archive that the bucket of a bare machine has under a path; `/open/…` is for everybody. */
export async function archiveAt(at: string, file: string): Promise<Archive> {
  const sha256 = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  return { url: `http://10.20.0.2${at}`, sha256, access: at.startsWith('/open/') ? 'open' : 'role' };
}

/** What cloud-init is given for it, as for every instance. */
export function textFor(sources: Omit<BootSources, 'region'>, nonce = 'n-3'): string {
  const userData = JSON.stringify({
    quorate: 1,
    environment: { name: 'prod', uuid: '6f0c1f3e-8f56-4c0e-9b7b-1f1f9b0c2d3e' },
    machine: '3',
    nonce,
    addresses: ['10.20.0.50:17070'],
    url: 'http://10.20.0.2/addresses.json',
    ca: '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n',
    token: TOKEN,
    install: { source: 'local', version: sources.version },
  });
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x86_64';
  const ports = { api: 17070, mongo: 37017 };
  return bootText(userData, { sources: { ...sources, region: REGION }, architecture, ports, files: readBootFiles() });
}

export const TOKEN = '5ec7e75ec7e75ec7e75ec7e75ec7e75e';

/** Of a file or folder: access as `ls` would say it in numbers, and whether root owns it. */
export function accessOf(file: string): string {
  const { mode, uid } = statSync(file);
  return `${(mode & 0o777).toString(8)} ${uid === 0 ? 'root' : 'quorate'}`;
}
