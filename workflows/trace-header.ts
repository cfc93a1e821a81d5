import type { Headers } from '@temporalio/common';
import { type WorkflowInterceptorsFactory, workflowInfo } from '@temporalio/workflow';
import { CHANGE_TYPES, TRACE_HEADER } from '../src/temporal/names.js';

/**
 * Hands the span that a change was asked for in on to its activities, its children and its next run, so that they belong to
 * one trace. Nothing of a workflow's own is decided by it, and no tracing library is in the sandbox. Singletons hand on
 * nothing: theirs would be one trace for the environment's life.
 */
export const interceptors: WorkflowInterceptorsFactory = () => {
  if (!CHANGE_TYPES.some((type) => type === workflowInfo().workflowType)) return {};
  let header: Headers[string] | undefined;
  return {
    inbound: [
      {
        execute: (input, next) => {
          header = input.headers[TRACE_HEADER];
          return next(input);
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next({ ...input, headers: headersWith(input.headers, header) }),
        startChildWorkflowExecution: (input, next) => next({ ...input, headers: headersWith(input.headers, header) }),
        continueAsNew: (input, next) => next({ ...input, headers: headersWith(input.headers, header) }),
      },
    ],
  };
};

function headersWith(headers: Headers, header: Headers[string] | undefined): Headers {
  return header === undefined ? headers : { ...headers, [TRACE_HEADER]: header };
}
