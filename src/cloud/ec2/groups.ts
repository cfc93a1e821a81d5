import { setTimeout as sleep } from 'node:timers/promises';
import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  DeleteSecurityGroupCommand,
  DescribeSecurityGroupsCommand,
  type Filter,
  type IpPermission,
  RevokeSecurityGroupIngressCommand,
  type SecurityGroup,
} from '@aws-sdk/client-ec2';
import type { Amazon } from './amazon.js';
import { AmazonError, ifThere } from './errors.js';
import { PORTS } from './instance.js';
import { lacking, permissionsFrom, type Way, waysIn } from './rules.js';
import { type TagName, tagged, tagsFrom } from './tags.js';

/** How long a group may still be in use by a network interface that goes. */
const IN_USE_MS = 60_000;
/** How often rules are compared anew because somebody else changed them meanwhile. */
export const ROUNDS = 5;

/** How long a group that somebody else has just made is not shown. */
const NOT_SHOWN_MS = [300, 1_000, 3_000] as const;

/** What a security group of ours is for: all machines of an environment, or the open ports of one. */
export type Role = 'machines' | 'ports';

/** The environment's security groups. Each is found by its name, which nobody can use twice in a VPC. */
export class Groups {
  constructor(
    private readonly amazon: Amazon,
    private readonly apiFrom: readonly string[],
  ) {}

  async list(filters: readonly Filter[]): Promise<SecurityGroup[]> {
    return await this.amazon.list(
      'DescribeSecurityGroups',
      (page) => this.amazon.ec2.send(new DescribeSecurityGroupsCommand({ ...page, Filters: [...filters] })),
      ({ SecurityGroups }) => SecurityGroups,
    );
  }

  /**
   * The group that every machine of the environment is in: the API from outside, the API and mongod from each other. Jobs
   * change while machines run, so it does not ask which of them is a controller.
   * @returns its ID
   */
  async ofMachines(environment: string, vpc: string): Promise<string> {
    const group = await this.ensure('machines', vpc, `quorate-${environment}`, { environment });
    await this.allow(group, (id) => [
      ...this.apiFrom.map((source) => way(PORTS.api, source)),
      way(PORTS.api, id),
      way(PORTS.mongo, id),
    ]);
    return group.GroupId ?? '';
  }

  /** The group of an instance's open ports. */
  async ofPorts(environment: string, instance: string, vpc: string): Promise<SecurityGroup> {
    return await this.ensure('ports', vpc, `quorate-${environment}-${instance}`, {
      environment,
      instance,
      version: '0',
    });
  }

  /** One that was made at the same time by somebody else is taken as it is. */
  private async ensure(
    role: Role,
    vpc: string,
    name: string,
    tags: Partial<Record<TagName, string>>,
  ): Promise<SecurityGroup> {
    const named = [
      { Name: 'vpc-id', Values: [vpc] },
      { Name: 'group-name', Values: [name] },
    ];
    const [there] = await this.list(named);
    if (there !== undefined) return there;
    try {
      const { GroupId } = await this.amazon.ask('CreateSecurityGroup', () =>
        this.amazon.ec2.send(
          new CreateSecurityGroupCommand({
            VpcId: vpc,
            GroupName: name,
            Description:
              role === 'machines' ? 'All machines of a Quorate environment' : 'Open ports of a Quorate machine',
            TagSpecifications: [{ ResourceType: 'security-group', Tags: tagsFrom({ ...tags, role }) }],
          }),
        ),
      );
      return { GroupId, GroupName: name, VpcId: vpc, Tags: tagsFrom({ ...tags, role }), IpPermissions: [] };
    } catch (error) {
      if (!(error instanceof AmazonError) || error.code !== 'cloud-there-already') throw error;
      for (const pauseMs of NOT_SHOWN_MS) {
        const [made] = await this.list(named);
        if (made !== undefined) return made;
        await sleep(pauseMs);
      }
      throw error;
    }
  }

  /** Lets in what is wanted and not let in yet; what else is let in stays. */
  private async allow(group: SecurityGroup, wanted: (id: string) => readonly Way[]): Promise<void> {
    const id = group.GroupId ?? '';
    let there = waysIn(group.IpPermissions ?? []);
    for (let round = 1; ; round += 1) {
      const lacks = lacking(wanted(id), there);
      if (lacks.length === 0) return;
      try {
        return await this.authorize(id, lacks);
      } catch (error) {
        // Somebody else let one of them in first.
        if (!(error instanceof AmazonError) || error.code !== 'cloud-there-already' || round === ROUNDS) throw error;
      }
      const [seen] = await this.list([{ Name: 'group-id', Values: [id] }]);
      there = waysIn(seen?.IpPermissions ?? []);
    }
  }

  async authorize(id: string, ways: readonly Way[]): Promise<void> {
    await this.amazon.askOfNew('AuthorizeSecurityGroupIngress', () =>
      this.amazon.ec2.send(
        new AuthorizeSecurityGroupIngressCommand({ GroupId: id, IpPermissions: permissionsFrom(ways) }),
      ),
    );
  }

  async revoke(id: string, permissions: readonly IpPermission[]): Promise<void> {
    await this.amazon.ask('RevokeSecurityGroupIngress', () =>
      this.amazon.ec2.send(new RevokeSecurityGroupIngressCommand({ GroupId: id, IpPermissions: [...permissions] })),
    );
  }

  /** Removes a group, waiting for what still uses it; harmless when it is gone. */
  async remove(id: string): Promise<void> {
    const send = () => this.amazon.ec2.send(new DeleteSecurityGroupCommand({ GroupId: id }));
    await ifThere(this.amazon.askUntilFree('DeleteSecurityGroup', send, IN_USE_MS));
  }

  /** All groups of an environment. */
  async ofEnvironment(environment: string, role?: Role): Promise<SecurityGroup[]> {
    return await this.list(tagged({ environment, ...(role === undefined ? {} : { role }) }));
  }
}

const way = (port: number, source: string): Way => ({ protocol: 'tcp', from: port, to: port, source });
