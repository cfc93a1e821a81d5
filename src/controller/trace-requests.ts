import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Tracing } from '../tracing/tracing.js';

/** Hooks that make a span of each request, which belongs to the trace of who sent it. */
export function requestTracing(tracing: Tracing) {
  const spans = new WeakMap<FastifyRequest, ReturnType<Tracing['begin']>['span']>();
  return {
    onRequest: (request: FastifyRequest, _reply: FastifyReply, done: () => void): void => {
      const { method, headers, id } = request;
      const route = request.routeOptions.url ?? 'none';
      const { span, inside } = tracing.begin(`${method} ${route}`, {
        from: headers,
        kind: 'server',
        attributes: { 'http.request.method': method, 'http.route': route, 'quorate.request_id': id },
      });
      spans.set(request, span);
      tracing.inside(inside, done);
    },
    onResponse: async (request: FastifyRequest, { statusCode }: FastifyReply): Promise<void> => {
      const span = spans.get(request);
      if (span === undefined) return;
      span.setAttribute('http.response.status_code', statusCode);
      // By OpenTelemetry's convention: what a caller did wrong is no error of the server's span.
      if (statusCode >= 500) tracing.fail(span);
      span.end();
    },
  };
}
