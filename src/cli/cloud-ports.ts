import type { Command } from 'commander';
import { usageError } from '../errors.js';
import { EVERYWHERE } from '../machines/cidrs.js';
import { overlap, type PortRange, type PortRule, parsePorts, portsText, samePorts } from '../machines/ports.js';
import { ruleText } from './exposed.js';
import { print, withEnvironment, withFormat } from './output.js';
import { chooseInstance, type PanelOptions } from './panel.js';

interface Options extends PanelOptions {
  readonly open?: string[];
  readonly close?: string[];
}

/** What a provider's console shows of an instance's security group, and changes in it, without asking the environment. */
export function configurePorts(command: Command): void {
  withEnvironment(withFormat(command.command('ports <instance>').description('what is let in from outside')))
    .option('--open <port...>', 'open these by hand, for everybody')
    .option('--close <port...>', 'close these by hand')
    .addHelpText(
      'after',
      '\nThe firewaller puts right what was opened or closed by hand.\n\nExamples:\n  quorate cloud ports 3\n  quorate cloud ports 3 --close 80',
    )
    .action(async (wanted: string, options: Options) => {
      const [opening, closing] = [(options.open ?? []).map(parsePorts), (options.close ?? []).map(parsePorts)];
      const { cloud, instance } = await chooseInstance(wanted, options);
      const seen = async () =>
        (await cloud.firewall.open(instance.tags.environment)).find((each) => each.instance === instance.id);
      const before = await seen();
      if (opening.length + closing.length > 0) {
        const rules = byHand(before?.rules ?? [], opening, closing);
        // The version that is there: whatever the environment wants next comes after it.
        const { failures } = await cloud.firewall.set({ instance: instance.id, version: before?.version ?? 0, rules });
        for (const failure of failures) process.stderr.write(`quorate: ${failure}\n`);
      }
      const rules = (await seen())?.rules ?? [];
      const text = rules.length === 0 ? 'nothing' : rules.map(ruleText).join(', ');
      await print(rules, options, () => `let in to machine ${instance.tags.machine} (${instance.id}): ${text}`);
    });
}

function byHand(rules: readonly PortRule[], opening: readonly PortRange[], closing: readonly PortRange[]): PortRule[] {
  const strange = closing.find((range) => !rules.some((rule) => samePorts(rule, range)));
  if (strange !== undefined) throw usageError('not-open', `${portsText(strange)} is not open there.`);
  const kept = rules.filter((rule) => !closing.some((range) => samePorts(rule, range)));
  const there = opening.find((range) => kept.some((rule) => overlap(rule, range)));
  if (there !== undefined) throw usageError('is-open', `${portsText(there)} is open there, or some of it.`);
  return [...kept, ...opening.map((range) => ({ ...range, cidrs: [...EVERYWHERE] }))];
}
