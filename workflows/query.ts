import { defineQuery, setHandler } from '@temporalio/workflow';
import { PROGRESS_QUERY } from '../src/temporal/names.js';
import type { Progress } from '../src/temporal/progress.js';
import type { Story } from './story.js';

const progressQuery = defineQuery<Progress>(PROGRESS_QUERY);

/** A query, not an update: asking how far a change is changes nothing. */
export function answerProgress(story: Story): void {
  setHandler(progressQuery, () => story.progress(), { description: 'How far the change is, and what it waits for' });
}
