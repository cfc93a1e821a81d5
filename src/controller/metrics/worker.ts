import { get } from 'node:http';

const PATIENCE_MS = 500;
const LONGEST = 4_000_000;

/**
 * What Temporal's runtime in this machine's worker counts, as text for Prometheus; null while the worker does not answer.
 * @param address host:port, on an address that only this machine has
 */
export function workerMetrics(address: string): Promise<string | null> {
  return new Promise((resolve) => {
    const asked = get(`http://${address}/metrics`, { timeout: PATIENCE_MS, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => {
        text += part;
        if (text.length > LONGEST) asked.destroy();
      });
      answer.on('error', () => resolve(null));
      answer.on('close', () => resolve(null));
      answer.on('end', () => resolve(answer.statusCode === 200 ? text : null));
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(null));
  });
}
