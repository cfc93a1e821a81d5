import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { CALLS, isCall } from '../../src/cloud/ec2/calls.js';
import { callOf, FETCH, isForm } from './call-names.js';
import { passOn, stream, whole } from './http-pass.js';

/** What goes wrong with a call; in the first line nothing is done, in the second it is. */
export type Fault =
  | 'refused'
  | 'throttled'
  | 'unavailable'
  /** Of EC2's: an answer that shows nothing. */
  | 'hidden'
  | { readonly code: string; readonly message: string; readonly status?: number }
  /** What the endpoint behind it knows nothing of. */
  | { readonly answers: object }
  | { readonly xml: string }
  | 'lost'
  | 'late'
  | 'twice';

export const NOT_DONE = ['refused', 'throttled', 'unavailable'] as const satisfies readonly Fault[];
export const DONE = ['lost', 'late', 'twice'] as const satisfies readonly Fault[];

/** What else decides what is done to a call. */
export interface Asking {
  /** Address of whoever asks. */
  readonly from: string;
  /** Of EC2's: nothing is to be done. */
  readonly dryRun: boolean;
}

/** Stands between a cloud and its endpoint, and does to each call what it is told to. */
export class FaultyProxy {
  readonly endpoint: string;
  /** Calls as they came, those that came to nothing among them. */
  readonly calls: string[] = [];
  /** What is done to a call, by its name and how often it has come, from 1. */
  decide: (call: string, nth: number, asked: Asking) => Fault | null = () => null;
  readonly #counts = new Map<string, number>();

  private constructor(
    private readonly server: Server,
    private readonly target: string,
    private readonly lateMs: number,
  ) {
    const { address, port } = server.address() as AddressInfo;
    this.endpoint = `http://${address}:${port}`;
    server.on('request', (asked, answer) => {
      this.#serve(asked, answer).catch(() => answer.destroy());
    });
  }

  /**
   * @param lateMs how late an answer is that is late
   * @param address where it listens
   */
  static async start(target: string, lateMs: number, address = '127.0.0.1'): Promise<FaultyProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    return new FaultyProxy(server, target, lateMs);
  }

  forget(): void {
    this.calls.length = 0;
    this.#counts.clear();
    this.decide = () => null;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async #serve(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const form = isForm(asked) ? await whole(asked) : null;
    const call = callOf(asked, form ?? Buffer.of());
    const nth = (this.#counts.get(call) ?? 0) + 1;
    this.#counts.set(call, nth);
    this.calls.push(call);
    const fault = this.decide(call, nth, { from: asked.socket.remoteAddress ?? '', dryRun: isDryRun(form) });
    // Archives are large.
    if (fault === null && form === null) return stream(this.target, asked, answer);
    const body = form ?? (await whole(asked));
    if (fault === 'refused') return void answer.destroy();
    if (fault === 'throttled') return refuse(answer, call, throttle(call));
    if (fault === 'unavailable')
      return refuse(answer, call, { code: 'ServiceUnavailable', message: 'busy', status: 503 });
    if (fault === 'hidden') {
      answer.writeHead(200, { 'content-type': 'text/xml', 'x-amzn-requestid': 'r' });
      return void answer.end(`<${call}Response/>`);
    }
    if (typeof fault === 'object' && fault !== null && 'answers' in fault) {
      answer.writeHead(200, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'r' });
      return void answer.end(JSON.stringify(fault.answers));
    }
    if (typeof fault === 'object' && fault !== null && 'xml' in fault) {
      answer.writeHead(200, { 'content-type': 'text/xml', 'x-amzn-requestid': 'r' });
      return void answer.end(fault.xml);
    }
    if (typeof fault === 'object' && fault !== null) return refuse(answer, call, fault);
    const done = await passOn(this.target, asked, body);
    const { status, headers, text } = fault === 'twice' ? await passOn(this.target, asked, body) : done;
    if (fault === 'lost') return void answer.destroy();
    if (fault === 'late') await sleep(this.lateMs, undefined, { ref: false });
    answer.writeHead(status, headers);
    answer.end(text);
  }
}

const isDryRun = (form: Buffer | null) => new URLSearchParams(form?.toString()).get('DryRun') === 'true';

const serviceOf = (call: string) => (call === FETCH ? 's3' : isCall(call) ? CALLS[call].service : 'ec2');

/** Each service has its own word for it. */
function throttle(call: string) {
  const code = { ec2: 'RequestLimitExceeded', s3: 'SlowDown', sts: 'Throttling' }[serviceOf(call) as string];
  return { code: code ?? 'ThrottlingException', message: 'Rate exceeded', status: code === 'SlowDown' ? 503 : 400 };
}

/** An error as the call's service writes it. */
function refuse(answer: ServerResponse, call: string, error: { code: string; message: string; status?: number }): void {
  const { code, message, status = 400 } = error;
  const xml = `<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
  const service = serviceOf(call);
  if (service === 'ssm' || service === 'servicequotas') {
    answer.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
    answer.end(JSON.stringify({ __type: code, message }));
    return;
  }
  answer.writeHead(status, { 'content-type': 'text/xml' });
  if (service === 's3') answer.end(xml);
  else if (service === 'sts') answer.end(`<ErrorResponse>${xml}</ErrorResponse>`);
  else answer.end(`<Response><Errors>${xml}</Errors><RequestID>r</RequestID></Response>`);
}
