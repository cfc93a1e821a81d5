import type { Context } from '@temporalio/activity';
import type { WorkflowClientInterceptor } from '@temporalio/client';
import { OpenTelemetryWorkflowClientInterceptor } from '@temporalio/interceptors-opentelemetry/lib/client/index.js';
import { OpenTelemetryActivityInboundInterceptor } from '@temporalio/interceptors-opentelemetry/lib/worker/index.js';
import type { ActivityInterceptors } from '@temporalio/worker';
import { TRACE_HEADER } from '../temporal/names.js';

/** What is asked of a workflow is told with the span that it is asked in. Looking is not: whoever follows a change looks all the time. */
export function clientTracing(): WorkflowClientInterceptor {
  const traced = new OpenTelemetryWorkflowClientInterceptor();
  return {
    start: (input, next) => traced.start(input, next),
    startWithDetails: (input, next) => traced.startWithDetails(input, next),
    signal: (input, next) => traced.signal(input, next),
    signalWithStart: (input, next) => traced.signalWithStart(input, next),
    startUpdate: (input, next) => traced.startUpdate(input, next),
    startUpdateWithStart: (input, next) => traced.startUpdateWithStart(input, next),
    cancel: (input, next) => traced.cancel(input, next),
    terminate: (input, next) => traced.terminate(input, next),
  };
}

/** A span for each activity of a change that was asked for in one. Those of singletons go on for ever, and have none. */
export function activityTracing(context: Context): ActivityInterceptors {
  const traced = new OpenTelemetryActivityInboundInterceptor(context);
  return {
    inbound: { execute: (input, next) => (TRACE_HEADER in input.headers ? traced.execute(input, next) : next(input)) },
  };
}
