import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as it was sent. */
export interface Span {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: the trace begins with it. */
  readonly parent: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}
interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly name: string;
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly attributes: readonly Attribute[];
      }[];
    }[];
  }[];
}

/** A collector of traces: OTLP over HTTP, JSON. */
export class Collector {
  readonly spans: Span[] = [];
  /** All that was sent, as it was. */
  received = '';

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Collector> {
    const server = createServer(async (request, response) => {
      let text = '';
      for await (const part of request.setEncoding('utf8')) text += part;
      const right = request.method === 'POST' && request.url === '/v1/traces';
      if (right) collector.#take(text);
      response.writeHead(right ? 200 : 404, { 'content-type': 'application/json' }).end('{}');
    });
    const collector = new Collector(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return collector;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  #take(text: string): void {
    this.received += text;
    const said = (attributes: readonly Attribute[]) =>
      Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
    for (const { resource, scopeSpans } of (JSON.parse(text) as Sent).resourceSpans) {
      const service = String(said(resource.attributes)['service.name']);
      for (const { name, traceId, spanId, parentSpanId: parent = '', attributes } of scopeSpans.flatMap(
        ({ spans }) => spans,
      ))
        this.spans.push({ service, name, traceId, spanId, parent, attributes: said(attributes) });
    }
  }
}
