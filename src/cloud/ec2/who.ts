import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import type { Amazon } from './amazon.js';

/** Who the credentials say we are. */
export interface Who {
  readonly account: string;
  readonly arn: string;
}

export async function whoAmI(amazon: Amazon): Promise<Who> {
  const { Account: account = '', Arn: arn = '' } = await amazon.ask('GetCallerIdentity', () =>
    amazon.sts.send(new GetCallerIdentityCommand({})),
  );
  return { account, arn };
}
