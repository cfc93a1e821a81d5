import type { Command } from 'commander';
import { duration } from '../api/duration.js';
import { evidenceText } from '../api/evidence.js';
import type { Status } from '../api/status.js';
import { type QuorateError, usageError } from '../errors.js';
import { exposureText } from './exposed.js';
import { type OutputOptions, print, symbols, withEnvironment, withFormat } from './output.js';

export function configure(command: Command): void {
  withEnvironment(withFormat(command))
    .argument('[machine]', 'one controller (default: all)')
    .addHelpText('after', '\nExamples:\n  quorate show-controller\n  quorate show-controller 1 --format yaml')
    .action(async (machine: string | undefined, options: OutputOptions & { environment?: string }) => {
      const { openEnvironment } = await import('./client.js');
      const { client } = await openEnvironment(options.environment);
      try {
        const { body } = await client.request<Status>('GET', '/v1/status');
        const shown = body.controllers.filter((controller) => machine === undefined || controller.machine === machine);
        if (shown.length === 0) throw unknownController(machine ?? '', body);
        const details = shown.map((controller) => ({ ...controller, haStatus: haStatus(controller, body) }));
        await print(details, options, () => details.map((detail) => text(detail, options)).join('\n\n'));
      } finally {
        client.close();
      }
    });
}

type Controller = Status['controllers'][number];

/** Juju's words: ha-enabled, ha-pending, or down. */
function haStatus({ agent, member }: Controller, { ha }: Status): string {
  if (agent === 'down') return 'down, lost connection';
  if (agent === 'stopped') return 'stopped';
  if (ha.desired <= 1) return 'none';
  return member?.vote && (member.state === 'PRIMARY' || member.state === 'SECONDARY') ? 'ha-enabled' : 'ha-pending';
}

function text(controller: Controller & { haStatus: string }, options: OutputOptions): string {
  const { none } = symbols(options);
  const member = controller.member;
  const lines: [string, string][] = [
    ['instance', controller.instance || none],
    ['ha status', controller.haStatus],
    ['agent', controller.agent],
    ...maintenance(controller),
    ...evidence(controller),
    ['api', controller.api || none],
    ['mongo', controller.mongo || none],
    ['member', member ? `${member.state}, ${member.vote ? 'votes' : 'no vote'}` : none],
    [
      'mongod',
      controller.mongod
        ? `${controller.mongod.version}, settings it took: ${settings(controller.mongod.parameters) || none}`
        : none,
    ],
    ...exposed(controller),
    ['services', services(controller) || none],
    ['sees', controller.sees.join(' ') || none],
    ['since', controller.since || none],
  ];
  return [`controller ${controller.machine}`, ...lines.map(([key, value]) => `  ${key.padEnd(10)} ${value}`)].join(
    '\n',
  );
}

function maintenance({ maintenance: left }: Controller): [string, string][] {
  return left === null ? [] : [['rests', `under maintenance for ${duration(left.secondsLeft)}; nothing is done to it`]];
}

function exposed({ ingress }: Controller): [string, string][] {
  const text = exposureText(ingress);
  return text === '' ? [] : [['exposed', text.replace(/^:? /, '')]];
}

/** What the sentinel sees, and what it will do. */
function evidence({ evidence: seen }: Controller): [string, string][] {
  return seen ? [['seen', evidenceText(seen)]] : [];
}

function settings(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

function services({ services: all }: Controller): string {
  return Object.entries(all ?? {})
    .map(
      ([name, service]) => `${name} ${service.state}${service.restarts > 0 ? ` (${service.restarts} restarts)` : ''}`,
    )
    .join(', ');
}

function unknownController(machine: string, status: Status): QuorateError {
  const known = status.controllers.map((controller) => controller.machine).join(', ');
  return usageError(
    'unknown-controller',
    `machine ${machine} is not a controller of ${status.environment.name}.`,
    `Its controllers are: ${known}.`,
  );
}
