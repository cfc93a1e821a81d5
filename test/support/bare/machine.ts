import { type ChildProcess, spawn } from 'node:child_process';
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
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readBootFiles } from '../../../src/cloud/ec2/boot/files.js';
import type { BootSources } from '../../../src/cloud/ec2/boot/sources.js';
import { bootText } from '../../../src/cloud/ec2/boot/text.js';
import { systemPath } from '../../../src/cloud/local/namespace/host.js';
import { packageRoot } from '../../../src/package.js';
import { signal } from '../../../src/process.js';
import { until } from '../home.js';
import { ARCHITECTURE } from './parts.js';

const HERE = path.join(packageRoot(), 'test/support/bare');
export const REGION = 'eu-west-1';
const ROLE = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'a/secret+key', sessionToken: 'a+session/token==' };
/** What systemd takes for its power button: SIGRTMIN+4. */
const POWER_OFF = 38;
/** At the power button a shell asks to stop what it started, first what would start it again, and ends. */
const GUEST = `trap 'systemctl stop quorate-boot.service quorated.service; exit 0' TERM`;

/** A machine's way to others: a bridge of the host's, and what it is called there. */
export interface Cable {
  readonly bridge: string;
  readonly link: string;
  readonly hardwareAddress: string;
  /** With the length of its network. */
  readonly address: string;
}

/** What a metadata service says of a machine. */
export interface Identity {
  readonly id: string;
  readonly address: string;
  readonly zone: string;
}

/** What a machine finds where it is. */
export interface Surroundings {
  /** What its metadata service says of it; null for none. */
  readonly identity?: Identity | null;
  /** A role; it has one by default. */
  readonly role?: boolean;
  /** Of its disk, in MB; then its disk is gone when it is off. */
  readonly diskMb?: number;
  /** By URL's path, what the bucket of its own has that it finds where it is alone. */
  readonly files?: Readonly<Record<string, string>>;
  /** Without one it is alone. */
  readonly cable?: Cable;
  readonly shared?: Shared;
}

/** What of the host a machine sees that no instance of Amazon's would. */
export interface Shared {
  /** At the same place, writable; without spaces. */
  readonly directories: readonly string[];
  /** Variables of its first process; without spaces. */
  readonly env: Readonly<Record<string, string>>;
}

const ALONE: Identity = { id: 'i-0123456789abcdef0', address: '10.20.0.9', zone: 'eu-west-1a' };

/** A machine with nothing on it, in namespaces of its own, that is switched on and off. */
export class BareMachine {
  #process: ChildProcess | null = null;
  #powerButton: number | NodeJS.Signals = 'SIGTERM';
  readonly #group: string;

  /** @param scratch a directory of its own, where its disk is; in that of a test, which a reaper watches */
  constructor(
    private readonly root: string,
    readonly scratch: string,
  ) {
    this.#group = controlGroupOf(scratch);
  }

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
    this.#powerButton = POWER_OFF;
    // A console is a terminal.
    this.#switchOn('script', ['-qfec', words.map((word) => `'${word}'`).join(' '), '/dev/null'], surroundings, {
      BARE_CGROUP: this.#group,
    });
  }

  /**
   * Switches it on with nothing but a shell, in which the boot's text is run, with a systemctl that stands for systemd.
   * @param tells a command whose output it prints each second
   */
  async run(
    text: string,
    surroundings: Surroundings,
    { shell = 'sh', tells = ':' }: { readonly shell?: string; readonly tells?: string } = {},
  ): Promise<void> {
    await mkdir(this.scratch, { recursive: true });
    await writeFile(path.join(this.scratch, 'hook'), text);
    const first = `${GUEST}; ${shell} /root/hook; while :; do ${tells}; sleep 1 & wait $!; done`;
    const words = [path.join(HERE, 'machine.sh'), ...(await this.#told(surroundings, text)), '--', 'sh', '-c', first];
    this.#powerButton = 'SIGTERM';
    this.#switchOn('/bin/sh', words, surroundings, { BARE_SYSTEMCTL: path.join(HERE, 'systemctl') });
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

  get isOn(): boolean {
    return this.#process !== null && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Resolves when it is off, whoever switches it off; at once when it is. */
  async whenOff(): Promise<void> {
    const outside = this.#process;
    if (outside !== null && this.isOn) await new Promise((resolve) => outside.once('exit', resolve));
  }

  /** Presses its power button. It goes off once what runs there has stopped. */
  async pressPowerButton(): Promise<void> {
    const first = await until('its first process', async () => this.firstProcess ?? !this.isOn, 30);
    if (typeof first === 'number' && this.isOn) process.kill(first, this.#powerButton);
  }

  /** Cuts its power. */
  async off(): Promise<void> {
    const outside = this.#process;
    if (outside === null) return;
    if (this.isOn) {
      const gone = this.whenOff();
      const first = this.firstProcess;
      // With its first process all of it is gone before whoever waits for that one ends; before there is one, all is outside.
      if (first === null || !signal(first, 'SIGKILL')) outside.kill('SIGKILL');
      await gone;
    }
    this.#process = null;
    await until('its control groups to be left', async () => removeGroups(this.#group), 30);
  }

  /** PID of its first process, as the host counts; null while there is none. */
  get firstProcess(): number | null {
    if (!this.isOn) return null;
    const file = path.join(this.scratch, 'pid');
    return existsSync(file) ? Number(readFileSync(file, 'utf8')) || null : null;
  }

  #switchOn(program: string, words: readonly string[], { cable, shared }: Surroundings, env: NodeJS.ProcessEnv): void {
    // A file, as whoever runs in there opens its console anew.
    writeFileSync(this.#printed, '');
    const printed = openSync(this.#printed, 'a');
    const plug = cable && [cable.bridge, cable.link, cable.hardwareAddress, cable.address].join(' ');
    const child = spawn(program, words, {
      env: {
        PATH: systemPath(),
        ...env,
        ...(plug ? { BARE_CABLE: plug } : {}),
        BARE_SHARED: (shared?.directories ?? []).join(' '),
        BARE_ENV: Object.entries(shared?.env ?? {})
          .map(([name, value]) => `${name}=${value}`)
          .join(' '),
      },
      stdio: ['ignore', printed, printed],
    });
    closeSync(printed);
    this.#process = child;
  }

  async #told(surroundings: Surroundings, userData: string): Promise<string[]> {
    const { identity = ALONE, role = true, diskMb = 0, files = null } = surroundings;
    await mkdir(this.scratch, { recursive: true });
    await Promise.all(['services.log', 'pid'].map((name) => rm(path.join(this.scratch, name), { force: true })));
    const config = path.join(this.scratch, 'services.json');
    const instance = identity === null ? null : { ...identity, userData };
    await writeFile(config, JSON.stringify({ instance, region: REGION, role: role ? ROLE : null, files }));
    return [this.root, this.scratch, String(diskMb), process.execPath, path.join(HERE, 'services.mjs'), config];
  }
}

/** Named by the directory, so that a reaper finds it. */
const controlGroupOf = (scratch: string): string => `quorate-bare${scratch.replaceAll('/', '-')}`;

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

/** The bucket of a machine that is alone; what is below `/open` there is for everybody. */
export const BUCKET = 'http://10.20.0.2';

/** What cloud-init is given for it, as for every instance. */
export function textFor(sources: Omit<BootSources, 'region'>, nonce = 'n-3'): string {
  const userData = JSON.stringify({
    quorate: 1,
    environment: { name: 'prod', uuid: '6f0c1f3e-8f56-4c0e-9b7b-1f1f9b0c2d3e' },
    machine: '3',
    nonce,
    addresses: ['10.20.0.50:17070'],
    url: `${BUCKET}/addresses.json`,
    ca: '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n',
    token: TOKEN,
    install: { source: 'local', version: sources.version },
  });
  return bootText(userData, {
    sources: { ...sources, region: REGION },
    architecture: ARCHITECTURE,
    ports: { api: 17070, mongo: 37017 },
    files: readBootFiles(),
  });
}

export const TOKEN = '5ec7e75ec7e75ec7e75ec7e75ec7e75e';

/** Of a file or folder: access as `ls` would say it in numbers, and whether root owns it. */
export function accessOf(file: string): string {
  const { mode, uid } = statSync(file);
  return `${(mode & 0o777).toString(8)} ${uid === 0 ? 'root' : 'quorate'}`;
}
