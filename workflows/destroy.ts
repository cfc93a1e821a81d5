import { ActivityFailure, ApplicationFailure, setWorkflowOptions, sleep } from '@temporalio/workflow';
import { changeSummary } from '../src/temporal/names.js';
import type { ChangeInput } from '../src/temporal/progress.js';
import { anywhere, cloud, network } from './activities.js';
import { answerProgress } from './query.js';
import { showPhase } from './records.js';
import { Story } from './story.js';

export interface DestroyInput extends ChangeInput {
  readonly cloud: string;
  readonly region: string;
  /** Go on although no controller can write that the environment is dying. */
  readonly force: boolean;
}

/** Listings in a row that must be empty: an instance asked for just before may appear late. */
const EMPTY_LISTINGS = 2;

/**
 * The end of an environment, under the ID that all changes of controllers share. First it is said to be dying, after
 * which nothing starts an instance; at last the controllers are gone, so only what runs elsewhere is used from then on.
 */
export async function destroy(input: DestroyInput): Promise<{ text: string }> {
  const { environment, key } = input;
  const story = new Story('destroy', changeSummary.destroy(environment.name, input.by));
  answerProgress(story);
  showPhase(input, 'dying', 0);
  const ahead = [
    { text: 'end the singletons', reason: 'the provisioner must start nothing more' },
    { text: 'terminate every instance', reason: 'found by tag, until two listings are empty' },
    { text: 'remove what the environment kept on the cloud', reason: 'bucket or files' },
  ];
  story.begin('say that the environment is dying', 'after that nothing starts an instance');
  story.foresee(ahead);
  await sayDying(input, story);

  story.begin('end the singletons', 'the provisioner must start nothing more');
  story.foresee(ahead.slice(1));
  await anywhere(key, { as: 'steady', summary: 'end the singletons' }).stopSingletons({ environment });

  story.begin('terminate every instance', 'found by tag, until two listings are empty');
  story.foresee(ahead.slice(2));
  const target = { environment, cloud: input.cloud, region: input.region };
  const ended = new Set<string>();
  for (let empty = 0; empty < EMPTY_LISTINGS; ) {
    const call = { as: 'steady', summary: 'terminate every instance that carries the environment’s tag' } as const;
    const { instances } = await cloud(key, call).terminateAll(target);
    for (const id of instances) ended.add(id);
    empty = instances.length === 0 ? empty + 1 : 0;
    if (empty < EMPTY_LISTINGS) await sleep(200, { summary: 'before listing the instances again' });
  }

  story.begin('remove what the environment kept on the cloud', 'bucket or files');
  await cloud(key, { as: 'steady', summary: 'remove what is left on the cloud' }).removeEnvironment(target);
  const text = `${environment.name} is gone; ${ended.size} ${ended.size === 1 ? 'instance' : 'instances'} terminated`;
  story.end('done', text);
  return { text };
}

// Begun again on a newer version, as other changes are, it could find no controller left that says it is dying. It goes on
// where it stands instead, as singletons do; replay tests guard it.
setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, destroy);

/** Needs a majority; without one only `force` goes on, as the singletons are ended and nothing else starts instances. */
async function sayDying(input: DestroyInput, story: Story): Promise<void> {
  const within = { scheduleToCloseTimeout: input.force ? '5s' : '20s', startToCloseTimeout: '5s' } as const;
  try {
    await network(input.key, { as: 'bounded', summary: 'say that the environment is dying', within }).setDying();
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    const reason = `No controller could write that ${input.environment.name} is dying (${error.cause?.message ?? error.message}).`;
    if (input.force) return story.fail(reason);
    const wayOut = `Type: quorate destroy-environment ${input.environment.name} --force`;
    story.end('blocked', reason, wayOut);
    throw ApplicationFailure.nonRetryable(reason, 'Blocked', { reason, wayOut });
  }
}
