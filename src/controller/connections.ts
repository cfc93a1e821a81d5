import type { WebSocket } from 'ws';

/** Counts the WebSockets of an API server, and whose agents are behind them. */
export class Connections {
  #watchers = 0;
  #agentSockets = 0;
  /** An agent that comes back may be there twice, until its old socket is found dead. */
  readonly #byMachine = new Map<string, number>();

  /** @param machine whose agent it is; null for a watcher */
  add(socket: Pick<WebSocket, 'once'>, machine: string | null): void {
    this.#count(machine, 1);
    socket.once('close', () => this.#count(machine, -1));
  }

  count(): { readonly watchers: number; readonly agentSockets: number; readonly agents: number } {
    return { watchers: this.#watchers, agentSockets: this.#agentSockets, agents: this.#byMachine.size };
  }

  #count(machine: string | null, by: 1 | -1): void {
    if (machine === null) {
      this.#watchers += by;
      return;
    }
    this.#agentSockets += by;
    const sockets = (this.#byMachine.get(machine) ?? 0) + by;
    if (sockets === 0) this.#byMachine.delete(machine);
    else this.#byMachine.set(machine, sockets);
  }
}
