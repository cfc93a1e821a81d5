import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packageRoot } from '../../src/package.js';
import { pythonWith } from '../support/python.js';
import type { Login } from './ground.js';

/** Of what a program says, so many characters of so many of its last lines: it shows inputs, which may be long. */
const LONGEST_LINE = 300;
const MOST_LINES = 400;
const REQUIREMENTS = path.join(packageRoot(), 'test/fuzz/requirements.txt');

/** The Python that has Schemathesis. */
export const python = (): Promise<string> => pythonWith('schemathesis', REQUIREMENTS);

/** One run of Schemathesis as somebody, by the document that the controller serves. */
export interface Asked {
  /** host:port */
  readonly address: string;
  readonly login: Login;
  readonly seed: number;
  /** Inputs that are drawn for each operation, at most. */
  readonly examples: number;
  /** Whether what follows from the schemas' edges alone is tried too. */
  readonly edges: boolean;
  /** Operation IDs that are left out. */
  readonly without: readonly string[];
}

/**
 * What every answer must be, whatever was asked: no 5xx, a status, type and body as the document says, and whatever is not
 * as the document says is refused. Left out: that good input is accepted (an unknown machine is good input), and the checks
 * of methods and logins that `access.test.ts` makes of every route.
 */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
  'missing_required_header',
];

/** How what is not as the document says may be refused; its own list lacks what is too long for a path, header or body. */
const REFUSALS = `[checks.negative_data_rejection]
expected-statuses = [${[400, 401, 403, 404, 409, 413, 414, 415, 422, 425, 429, 431].map((status) => `"${status}"`).join(', ')}]
`;

/** Longer than any answer may take on a busy machine. */
const SLOWEST_SECONDS = 10;

/** Runs it to its end. @returns what it found, in its own words; empty when it found nothing. */
export async function schemathesis(program: string, asked: Asked): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'quorate-fuzz-'));
  const file = (name: string) => path.join(directory, name);
  try {
    const { tls, token } = asked.login;
    await writeFile(file('ca.crt'), tls.ca);
    await writeFile(file('own.pem'), (tls.certificate ?? '') + (tls.key ?? ''), { mode: 0o600 });
    // A token is no argument: those are seen by everybody on the machine.
    const headers = token === undefined ? '' : `[headers]\nAuthorization = ${JSON.stringify(`Bearer ${token}`)}\n`;
    await writeFile(file('schemathesis.toml'), `${REFUSALS}${headers}`, { mode: 0o600 });
    const args = [
      ...['-m', 'schemathesis.cli', 'run', `https://${asked.address}/v1/openapi.json`],
      ...['--url', `https://${asked.address}`, '--tls-verify', 'ca.crt', '--request-timeout', String(SLOWEST_SECONDS)],
      ...(tls.certificate === undefined ? [] : ['--request-cert', 'own.pem']),
      ...[
        '--phases',
        asked.edges ? 'coverage,fuzzing' : 'fuzzing',
        '--checks',
        CHECKS.join(','),
        '--max-response-time',
        String(SLOWEST_SECONDS),
      ],
      ...['--max-examples', String(asked.examples), '--seed', String(asked.seed), '--continue-on-failure'],
      ...['--generation-with-security-parameters', 'false', '--generation-database', 'none', '--no-shrink'],
      ...['--suppress-health-check', 'all', '--warnings', 'off', '--no-color'],
      ...asked.without.flatMap((id) => ['--exclude-operation-id', id]),
    ];
    return await ran(program, args, directory).then(
      () => '',
      (error) => String((error as Error).message),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Runs a program to its end; throws with what it said where that was no good one. */
async function ran(program: string, args: readonly string[], cwd?: string): Promise<void> {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk;
    });
  }
  const [code, signal] = await once(child, 'close');
  if (code === 0) return;
  const lines = said.split('\n').slice(-MOST_LINES);
  const shown = lines.map((line) => (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line));
  throw new Error(`${path.basename(program)} ${args[1]} ended with ${code ?? signal}:\n${shown.join('\n')}`);
}
