import { checkList, checkListReads, checkRegisterReads, checkSet } from './checks.js';
import type { Clients } from './clients.js';
import { type Anomaly, byKey, type Final, type Read, type Write } from './history.js';
import { checkLinearizable, hasPorcupine } from './linearizable.js';

/** All checks of what the clients did against what is there in the end. */
export async function judge(
  clients: Pick<Clients, 'operations' | 'setPrefix' | 'listPrefix' | 'registerPrefix'>,
  final: Final,
  directory: string,
): Promise<{ anomalies: Anomaly[]; checks: number }> {
  const { setPrefix, listPrefix, registerPrefix } = clients;
  const under = (prefix: string) => clients.operations.filter(({ key }) => key.startsWith(prefix));
  const finalUnder = (prefix: string): Final => new Map([...final].filter(([key]) => key.startsWith(prefix)));
  const readsOf = (all: readonly (Write | Read)[]) =>
    all.filter((operation) => operation.kind === 'read' && operation.outcome === 'ok') as Read[];
  const writesOf = (all: readonly (Write | Read)[]) => all.filter((operation) => operation.kind === 'write') as Write[];

  const anomalies = [...checkSet(writesOf(under(setPrefix)), finalUnder(setPrefix))];
  let checks = 1;
  for (const [key, all] of byKey(under(listPrefix))) {
    anomalies.push(...checkList(key, writesOf(all), final), ...checkListReads(key, readsOf(all), final));
    checks += 2;
  }
  const registers = under(registerPrefix);
  for (const [key, all] of byKey(registers)) {
    anomalies.push(...checkRegisterReads(key, writesOf(all), readsOf(all)));
    checks += 1;
  }
  // What is there in the end was read when all was over: nothing that was acknowledged may be missing from it.
  const end = Math.max(0, ...registers.map(({ returnedAt }) => returnedAt)) + 1;
  const last = [...byKey(registers).keys()].map((key): Read => {
    const { version, value } = final.get(key) ?? { version: 0, value: '' };
    return {
      kind: 'read',
      client: -1,
      key,
      version,
      value,
      invokedAt: end,
      returnedAt: end + 1,
      outcome: 'ok',
      why: '',
    };
  });
  if (!hasPorcupine()) return { anomalies, checks };
  const seen = new Set(readsOf(registers).map(({ value }) => value));
  anomalies.push(...(await checkLinearizable([...writesOf(registers), ...last], directory, seen)));
  checks += last.length;
  return { anomalies, checks };
}
