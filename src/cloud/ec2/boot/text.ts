import { QuorateError } from '../../../errors.js';
import type { Architecture } from '../image-names.js';
import { checkRegionName } from '../settings.js';
import type { BootFiles } from './files.js';
import { type BootSources, releaseName, sourceLines } from './sources.js';

/** Where it all lies on an instance. */
const BOOT = '/opt/quorate/boot';
const END = 'QUORATE-END';

/** What an instance's boot is made of. */
export interface Boot {
  readonly sources: BootSources;
  readonly architecture: Architecture;
  readonly ports: { readonly api: number; readonly mongo: number };
  readonly files: BootFiles;
}

/**
 * What cloud-init is given: a hook that it runs at each boot, lays down what boots the machine, and has systemd run it, which
 * runs it again until it succeeds. The user data lies in it as it is. The same bytes for the same input. Pure.
 * @param userData the document of src/boot/user-data.ts as JSON, in one line
 */
export function bootText(userData: string, { sources, architecture, ports, files }: Boot): string {
  if (/[\r\n]/.test(userData)) throw new QuorateError('bad-user-data', 'The user data has more than one line.');
  const release = releaseName(sources, architecture);
  const settings = [
    `release='${release}'`,
    `region='${checkRegionName(sources.region)}'`,
    `api='${ports.api}'`,
    `mongo='${ports.mongo}'`,
  ];
  return [
    '#cloud-boothook',
    '#!/bin/sh',
    '# Written by Quorate. cloud-init runs it at each boot.',
    'umask 077',
    // cloud-init keeps to itself what a hook prints.
    'say() {',
    '  echo "quorate-boot: $1"',
    '  [ ! -c /dev/console ] || echo "quorate-boot: $1" >/dev/console',
    '}',
    'failed() {',
    '  say "FAILED begin: $(echo "$1" | tail -n 1)"',
    '  exit 1',
    '}',
    'put() {',
    '  said=$({ cat >"$1.new" && chmod "$2" "$1.new" && mv -f "$1.new" "$1"; } 2>&1) || failed "$said"',
    '}',
    `said=$(mkdir -p ${BOOT} 2>&1) || failed "$said"`,
    put(`${BOOT}/settings`, 600, settings.join('\n')),
    put(`${BOOT}/sources`, 600, sourceLines(sources, architecture).join('\n')),
    put(`${BOOT}/user-data.json`, 600, userData),
    put(`${BOOT}/quorate-boot`, 700, lean(files.boot)),
    put(`${BOOT}/quorate-fetch`, 700, lean(files.fetch)),
    put('/etc/systemd/system/quorate-boot.service', 644, lean(files.service)),
    'sync',
    'said=$({ systemctl daemon-reload && systemctl --quiet enable quorate-boot.service; } 2>&1) || failed "$said"',
    `say "STEP begin: release ${release} is laid out"`,
    // Nothing of this file is read after that: the machine shreds it, as a token is in it.
    'exec systemctl --no-block start quorate-boot.service',
    '',
  ].join('\n');
}

function put(file: string, mode: number, text: string): string {
  return [`put ${file} ${mode} <<'${END}'`, text.trimEnd(), END].join('\n');
}

/** Without what only readers of the repository need, as user data is short: comments, empty lines, deep indents. Pure. */
export function lean(script: string): string {
  const [first = '', ...rest] = script.split('\n');
  const lines = first.startsWith('#!') ? rest : [first, ...rest];
  const kept = lines
    .filter((line) => !/^\s*(#|$)/.test(line))
    .map((line) => line.replace(/^( {4})+/, (indent) => ' '.repeat(indent.length / 4)));
  return `${[...(first.startsWith('#!') ? [first] : []), ...kept].join('\n')}\n`;
}
