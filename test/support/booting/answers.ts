/** What EC2 writes of instances, as the proxy reads and changes it. Pure. */

/** An instance that RunInstances made. */
export interface MadeInstance {
  readonly id: string;
  readonly address: string;
  readonly zone: string;
}

/** What is true of an instance besides what the answer says. */
export interface Truth {
  readonly state: 'stopping' | 'shutting-down' | null;
  /** It went off by itself. */
  readonly endedItself: boolean;
}

const CODES = { stopping: 64, 'shutting-down': 32 } as const;
/** An instance's own item, from its beginning to its state; its ID stands before that. */
const INSTANCE =
  /<item><architecture>(?:(?!<item><architecture>).)*?<instanceId>(i-[0-9a-f]+)<\/instanceId>.*?<\/instanceState>/gs;

/** The instances in an answer of RunInstances. */
export function madeInstances(answer: string): MadeInstance[] {
  return answer
    .split('<item><architecture>')
    .slice(1)
    .map((item) => {
      const last = (name: string) =>
        [...item.matchAll(new RegExp(`<${name}>([^<]+)</${name}>`, 'g'))].at(-1)?.[1] ?? '';
      return { id: last('instanceId'), address: last('privateIpAddress'), zone: last('availabilityZone') };
    });
}

/** An answer of DescribeInstances that says what is true. */
export function retold(answer: string, truthOf: (id: string) => Truth | null): string {
  return answer.replace(INSTANCE, (item, id: string) => {
    const truth = truthOf(id);
    if (truth === null) return item;
    const { state, endedItself } = truth;
    const as = endedItself ? item.replaceAll('Client.UserInitiatedShutdown', 'Client.InstanceInitiatedShutdown') : item;
    if (state === null) return as;
    const shown = `<instanceState><code>${CODES[state]}</code><name>${state}</name></instanceState>`;
    return as.replace(/<instanceState>.*<\/instanceState>/s, shown);
  });
}

/** An answer of DescribeInstanceStatus in which the system's check of some is impaired, which moto says of none. */
export function checksAnswer(answer: string, impaired: ReadonlySet<string>): string {
  const items = [...answer.matchAll(/<instanceId>(i-[0-9a-f]+)<\/instanceId>/g)].map(([, id = '']) => {
    const system = impaired.has(id) ? 'impaired' : 'ok';
    return `<item><instanceId>${id}</instanceId><systemStatus><status>${system}</status></systemStatus><instanceStatus><status>ok</status></instanceStatus></item>`;
  });
  return answer.replace(
    /<instanceStatusSet>.*<\/instanceStatusSet>/s,
    () => `<instanceStatusSet>${items.join('')}</instanceStatusSet>`,
  );
}

/** An answer of GetConsoleOutput with what was printed: the last of it, as EC2 keeps no more. */
export function consoleAnswer(answer: string, printed: string): string {
  const output = Buffer.from(printed).subarray(-65_536).toString('base64');
  return answer.replace(/<output>.*<\/output>|<output\/>/s, `<output>${output}</output>`);
}
