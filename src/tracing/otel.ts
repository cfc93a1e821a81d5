import {
  type Attributes,
  type Context,
  context,
  DiagLogLevel,
  diag,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResourcesSync, envDetectorSync, Resource } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { packageVersion } from '../package.js';
import type { Service } from './service.js';

/** A collector that is away would else be complained of with every batch. */
const COMPLAINT_MS = 60_000;
const FLUSH_MS = 2000;

type Headers = Readonly<Record<string, string | string[] | undefined>>;

export interface SpanOptions {
  /** The span's parent is who sent these; without them, or without a parent in them, the span that is going on here. */
  readonly from?: Headers;
  readonly kind?: 'server' | 'client' | 'internal';
  readonly attributes?: Attributes;
}

const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const;

/** Spans of one process, sent by OTLP over HTTP to where the standard variables say. Loaded only where they are wanted. */
export class Tracing {
  readonly #provider: NodeTracerProvider;
  readonly #tracer: Tracer;
  #complainedAt = Number.NEGATIVE_INFINITY;

  constructor({ name, environment, machine }: Service, onProblem: (sentence: string) => void) {
    diag.setLogger(
      diagnosis((problem) => this.#complain(problem, onProblem)),
      DiagLogLevel.WARN,
    );
    const named = new Resource({
      'service.name': name,
      'service.version': packageVersion(),
      ...(environment === undefined ? {} : { 'service.namespace': environment }),
      ...(machine === undefined ? {} : { 'service.instance.id': `machine-${machine}` }),
    });
    this.#provider = new NodeTracerProvider({
      // What OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME say comes last.
      resource: named.merge(detectResourcesSync({ detectors: [envDetectorSync] })),
      spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
    });
    this.#provider.register();
    this.#tracer = this.#provider.getTracer('quorate');
  }

  /** Does the work in a span, which ends with it. */
  async within<T>(name: string, options: SpanOptions, work: () => Promise<T>): Promise<T> {
    const { span, inside } = this.begin(name, options);
    try {
      return await context.with(inside, work);
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : '' });
      throw error;
    } finally {
      span.end();
    }
  }

  /** A span that whoever began it ends, and the context in which what belongs to it is to be done. */
  begin(name: string, { from, kind = 'internal', attributes }: SpanOptions): { span: Span; inside: Context } {
    const parent = from === undefined ? context.active() : propagation.extract(context.active(), from);
    const span = this.#tracer.startSpan(name, { kind: KINDS[kind], ...(attributes ? { attributes } : {}) }, parent);
    return { span, inside: trace.setSpan(parent, span) };
  }

  /** What the span was about has failed. */
  fail(span: Span): void {
    span.setStatus({ code: SpanStatusCode.ERROR });
  }

  /** Runs something in a context that `begin` gave. */
  inside<T>(where: Context, run: () => T): T {
    return context.with(where, run);
  }

  /** What tells whoever is asked next of the span that is going on: W3C's `traceparent`. */
  headers(): Record<string, string> {
    const headers: Record<string, string> = {};
    propagation.inject(context.active(), headers);
    return headers;
  }

  /** Sends what is not sent yet, for two seconds at most. */
  async end(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FLUSH_MS);
    });
    await Promise.race([this.#provider.shutdown().catch(() => undefined), late]);
    clearTimeout(timer);
  }

  #complain(problem: string, onProblem: (sentence: string) => void): void {
    const now = performance.now();
    if (now - this.#complainedAt < COMPLAINT_MS) return;
    this.#complainedAt = now;
    onProblem(`Traces could not be sent: ${problem}`);
  }
}

function diagnosis(complain: (problem: string) => void) {
  const said = (message: string, ...more: unknown[]) => complain(sentenceOf([message, ...more]));
  const nothing = () => undefined;
  return { error: said, warn: said, info: nothing, debug: nothing, verbose: nothing };
}

/** The library says an error as JSON with its stack. */
function sentenceOf(said: readonly unknown[]): string {
  const text = said.map((part) => (part instanceof Error ? part.message : String(part))).join(' ');
  try {
    const { message, code } = JSON.parse(text) as { message?: string; code?: string };
    return [message, code].filter(Boolean).join(' ') || text.slice(0, 200);
  } catch {
    return text.slice(0, 200);
  }
}
