import { Agent, request as httpsRequest } from 'node:https';
import type { Ping } from '../api/access.js';
import { serverName } from '../pki/certificate.js';
import { hostAndPort } from './host-port.js';

/** Asks API servers whether they are there, over connections that are kept, so that asking often costs little. */
export class Pinger {
  readonly #agent: Agent;

  constructor(
    private readonly environment: string,
    ca: string,
  ) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1, ca, servername: serverName(environment) });
  }

  /** Whether the environment's API answers at host:port as the machine that is expected there. */
  ping(hostPort: string, machine: string, timeoutMs: number): Promise<boolean> {
    const { host, port } = hostAndPort(hostPort);
    return new Promise((resolve) => {
      const request = httpsRequest({
        agent: this.#agent,
        host,
        port,
        path: '/v1/ping',
        signal: AbortSignal.timeout(timeoutMs),
      });
      request.on('error', () => resolve(false));
      request.on('response', async (response) => {
        try {
          let text = '';
          for await (const chunk of response.setEncoding('utf8')) text += chunk;
          const answer = JSON.parse(text) as Partial<Ping>;
          const itself = answer.environment === this.environment && answer.machine === machine;
          resolve(response.statusCode === 200 && itself);
        } catch {
          resolve(false);
        }
      });
      request.end();
    });
  }

  /** From the next connection on. */
  trust(ca: string): void {
    this.#agent.options.ca = ca;
  }

  close(): void {
    this.#agent.destroy();
  }
}
