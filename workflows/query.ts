import { defineQuery } from '@temporalio/workflow';
import { PROGRESS_QUERY } from '../src/temporal/names.js';
import type { Progress } from '../src/temporal/progress.js';

export const progressQuery = defineQuery<Progress>(PROGRESS_QUERY);
