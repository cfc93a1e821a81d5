import {
  CreateTagsCommand,
  type IpPermission,
  ModifyNetworkInterfaceAttributeCommand,
  type SecurityGroup,
} from '@aws-sdk/client-ec2';
import { type PortRule, portsText } from '../../machines/ports.js';
import type { Firewall, Ingress, Opened } from '../cloud.js';
import type { Amazon } from './amazon.js';
import { AmazonError, ifThere } from './errors.js';
import { type Groups, ROUNDS } from './groups.js';
import type { Ec2Instance } from './instance.js';
import { type Instances, unknownInstance } from './instances.js';
import { lacking, rulesFrom, straysOf, type Way, waysIn, waysOf } from './rules.js';
import { tagged, tagOf, tagsFrom } from './tags.js';

/**
 * Open ports are a security group of the instance's own, made when the first port is opened. The version that was set last is
 * a tag of the group. EC2 compares nothing for us: a writer that stands still between its look and its write can undo a later
 * one, which the next look of the firewaller sees and puts right.
 */
export class Ec2Firewall implements Firewall {
  constructor(
    private readonly amazon: Amazon,
    private readonly groups: Groups,
    private readonly instances: Instances,
  ) {}

  async open(environment: string): Promise<readonly Ingress[]> {
    const groups = await this.groups.ofEnvironment(environment, 'ports');
    if (groups.length === 0) return [];
    const attached = new Set(
      (await this.instances.list(environment)).flatMap(({ id, groups }) => groups.map((group) => `${id} ${group}`)),
    );
    return groups.flatMap((group) => {
      const instance = tagOf(group.Tags, 'instance');
      // Taken off its instance by hand, or left of one that is gone: nothing comes in by it.
      if (!attached.has(`${instance} ${group.GroupId}`)) return [];
      return [{ instance, version: versionOf(group), rules: rulesFrom(waysIn(group.IpPermissions ?? [])) }];
    });
  }

  async set({ instance: id, version, rules }: Ingress): Promise<Opened> {
    const instance = await this.instances.find(id);
    if (instance === null) throw unknownInstance(id);
    const address = instance.publicAddress ?? '';
    if (instance.state === 'terminated') {
      await this.drop(instance);
      return { address: '', failures: [] };
    }
    const there = await this.#ofInstance(id);
    if (there === null && rules.length === 0) return { address, failures: [] };
    const group = there ?? (await this.groups.ofPorts(instance.tags.environment, id, instance.vpc));
    if (versionOf(group) > version) return { address, failures: [] };
    await this.#claim(group, version);
    const failures = await this.#change(group, version, rules);
    await this.#attach(instance, group);
    return { address, failures };
  }

  /** An instance is gone for good: nothing is open, and its group is removed once nothing uses it. */
  async drop({ id }: Pick<Ec2Instance, 'id'>): Promise<void> {
    const group = await this.#ofInstance(id);
    if (group?.GroupId === undefined) return;
    try {
      await this.groups.remove(group.GroupId);
    } catch (error) {
      // Somebody put it on something else too. That stays open until the environment is removed, and is named then.
      if (!(error instanceof AmazonError) || error.code !== 'cloud-in-use') throw error;
    }
  }

  async #ofInstance(id: string): Promise<SecurityGroup | null> {
    const [group] = await this.groups.list(tagged({ role: 'ports', instance: id }));
    return group ?? null;
  }

  /** From here on older versions change nothing. */
  async #claim(group: SecurityGroup, version: number): Promise<void> {
    if (versionOf(group) === version) return;
    await this.amazon.askOfNew('CreateTags', () =>
      this.amazon.ec2.send(
        new CreateTagsCommand({ Resources: [group.GroupId ?? ''], Tags: tagsFrom({ version: String(version) }) }),
      ),
    );
  }

  /** Until exactly the rules are in it, or somebody has set a later version. @returns what could not be opened, and why */
  async #change(group: SecurityGroup, version: number, rules: readonly PortRule[]): Promise<string[]> {
    const id = group.GroupId ?? '';
    const wanted = waysOf(rules);
    let there = group.IpPermissions ?? [];
    for (let round = 1; ; round += 1) {
      const failures = await this.#open(id, lacking(wanted, waysIn(there)), rules);
      await this.#close(id, straysOf(there, wanted));
      const [seen] = await this.groups.list([{ Name: 'group-id', Values: [id] }]);
      if (seen === undefined || versionOf(seen) > version) return failures;
      there = seen.IpPermissions ?? [];
      const left = lacking(wanted, waysIn(there)).length + straysOf(there, wanted).length;
      if (left === 0 || failures.length > 0 || round === ROUNDS) return failures;
    }
  }

  /** All at once; where that is refused each rule by itself, so that one that cannot be had takes no other with it. */
  async #open(id: string, ways: readonly Way[], rules: readonly PortRule[]): Promise<string[]> {
    if (ways.length === 0) return [];
    const refused = await this.#authorize(id, ways);
    if (refused === null) return [];
    const failures: string[] = [];
    for (const rule of rules) {
      const own = waysOf([rule]).filter((way) => lacking([way], ways).length === 0);
      const reason = own.length === 0 ? null : await this.#authorize(id, own);
      if (reason !== null) failures.push(`${portsText(rule)}: ${reason}`);
    }
    return failures;
  }

  /** @returns why Amazon does not let these in; null when it does, or is to be asked again */
  async #authorize(id: string, ways: readonly Way[]): Promise<string | null> {
    try {
      await this.groups.authorize(id, ways);
      return null;
    } catch (error) {
      if (!(error instanceof AmazonError)) throw error;
      // Somebody opened one of them first: the next round sees what is left.
      if (error.code === 'cloud-there-already') return null;
      if (['quota-reached', 'cloud-refused'].includes(error.code)) return error.message;
      throw error;
    }
  }

  async #close(id: string, permissions: readonly IpPermission[]): Promise<void> {
    if (permissions.length === 0) return;
    // Somebody may have closed one of them first.
    await ifThere(this.groups.revoke(id, permissions));
  }

  async #attach(instance: Ec2Instance, { GroupId = '' }: SecurityGroup): Promise<void> {
    if (instance.groups.includes(GroupId) || instance.networkInterface === '') return;
    await this.amazon.ask('ModifyNetworkInterfaceAttribute', () =>
      this.amazon.ec2.send(
        new ModifyNetworkInterfaceAttributeCommand({
          NetworkInterfaceId: instance.networkInterface,
          Groups: [...instance.groups, GroupId],
        }),
      ),
    );
  }
}

const versionOf = ({ Tags }: SecurityGroup): number => Number(tagOf(Tags, 'version')) || 0;
