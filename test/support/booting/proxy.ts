import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Answered, passOn, stream, whole } from '../http-pass.js';
import { checksAnswer, consoleAnswer, madeInstances, retold } from './answers.js';
import type { Guest } from './guest.js';

/** An instance that was asked for, with what decides what it finds. */
export interface Ordered {
  readonly id: string;
  readonly address: string;
  readonly zone: string;
  readonly userData: string;
  /** It has a role's credentials. */
  readonly role: boolean;
}

/**
 * Passes everything on to moto, and does with guests what is asked of instances: what moto says is so, is so. An instance is
 * shown as on its way until its guest is there, and its console is what its guest prints.
 */
export class BootingProxy {
  readonly endpoint: string;
  /** IDs of the instances whose system's check is said to be impaired: a mock, as moto finds all well. */
  readonly impaired = new Set<string>();
  readonly #guests = new Map<string, Guest>();
  readonly #endedThemselves = new Set<string>();

  private constructor(
    private readonly server: Server,
    address: string,
    private readonly target: string,
    private readonly makeGuest: (ordered: Ordered, endedItself: () => void) => Guest,
  ) {
    this.endpoint = `http://${address}:${(server.address() as AddressInfo).port}`;
    server.on('request', (asked, answer) => {
      this.#serve(asked, answer).catch((error: Error) => answer.destroy(error));
    });
  }

  static async start(
    address: string,
    target: string,
    makeGuest: (ordered: Ordered, endedItself: () => void) => Guest,
  ): Promise<BootingProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    return new BootingProxy(server, address, target, makeGuest);
  }

  guest(id: string): Guest {
    const guest = this.#guests.get(id);
    if (guest === undefined) throw new Error(`nothing was started as ${id}`);
    return guest;
  }

  /** All guests are gone, too. */
  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
    await this.clear();
  }

  /** All guests are gone. */
  async clear(): Promise<void> {
    await Promise.all([...this.#guests.values()].map((guest) => guest.destroy()));
  }

  async #serve(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    if (!(asked.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')) {
      // Archives are large.
      return stream(this.target, asked, answer);
    }
    const body = await whole(asked);
    const said = new URLSearchParams(body.toString());
    const action = said.get('Action') ?? '';
    const named = [...said].flatMap(([name, id]) => (/^InstanceId(\.\d+)?$/.test(name) ? [id] : []));
    const guests = named.flatMap((id) => this.#guests.get(id) ?? []);
    if (action === 'StartInstances' && guests.some(({ transition }) => transition !== null)) {
      return refuse(answer, 'IncorrectInstanceState', `${named} is on its way to another state`);
    }
    const done = await passOn(this.target, asked, body);
    const text = done.status === 200 ? await this.#follow(action, said, named, guests, done, asked) : null;
    const { 'content-length': _, ...headers } = done.headers;
    answer.writeHead(done.status, headers);
    answer.end(text ?? done.text);
  }

  /** Does what an order says that moto took. @returns what is answered instead; null for moto's own answer */
  async #follow(
    action: string,
    said: URLSearchParams,
    named: readonly string[],
    guests: readonly Guest[],
    done: Answered,
    asked: IncomingMessage,
  ): Promise<string | null> {
    const answered = done.text.toString();
    switch (action) {
      case 'RunInstances': {
        const userData = Buffer.from(said.get('UserData') ?? '', 'base64').toString();
        const role = [...said.keys()].some((name) => name.startsWith('IamInstanceProfile'));
        for (const made of madeInstances(answered)) {
          const guest = this.makeGuest({ ...made, userData, role }, () => this.#stopped(made.id, asked));
          this.#guests.set(made.id, guest);
          await guest.powerOn();
        }
        return null;
      }
      case 'StartInstances':
        for (const id of named) this.#endedThemselves.delete(id);
        await Promise.all(guests.map((guest) => guest.powerOn()));
        return null;
      case 'StopInstances':
        for (const guest of guests) void guest.powerOff({ forced: said.get('Force') === 'true' });
        return null;
      case 'RebootInstances':
        for (const guest of guests) void guest.reboot();
        return null;
      case 'TerminateInstances':
        for (const guest of guests) void guest.destroy();
        return null;
      case 'DescribeInstances':
        return retold(answered, (id) => {
          const state = this.#guests.get(id)?.transition ?? null;
          return { state, endedItself: this.#endedThemselves.has(id) };
        });
      case 'DescribeInstanceStatus':
        return this.impaired.size === 0 ? null : checksAnswer(answered, this.impaired);
      case 'GetConsoleOutput':
        return guests[0] === undefined ? null : consoleAnswer(answered, guests[0].console);
      default:
        return null;
    }
  }

  /** moto is told that an instance is off, by the words of whoever started it: they say in which region. */
  #stopped(id: string, { method, url, headers }: IncomingMessage): void {
    this.#endedThemselves.add(id);
    const order = Buffer.from(
      new URLSearchParams({ Action: 'StopInstances', Version: '2016-11-15', 'InstanceId.1': id }).toString(),
    );
    const asked = { method, url, headers: { ...headers, 'content-length': String(order.length) } };
    void passOn(this.target, asked as Parameters<typeof passOn>[1], order);
  }
}

function refuse(answer: ServerResponse, code: string, message: string): void {
  answer.writeHead(400, { 'content-type': 'text/xml' });
  answer.end(
    `<Response><Errors><Error><Code>${code}</Code><Message>${message}</Message></Error></Errors><RequestID>r</RequestID></Response>`,
  );
}
