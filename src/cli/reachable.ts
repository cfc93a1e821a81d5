import { connect } from 'node:net';
import { hostAndPort } from '../client/host-port.js';

const PATIENCE_MS = 300;

/** Whether somebody listens at host:port; a hint for people, asked in passing and never waited for long. */
export function reachable(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(hostAndPort(address));
    const answer = (up: boolean) => {
      socket.destroy();
      resolve(up);
    };
    socket.setTimeout(PATIENCE_MS, () => answer(false));
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
  });
}
