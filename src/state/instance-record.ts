/** What the cloud says of a machine's instance, as it is recorded. */
export interface InstanceRecord {
  readonly id: string;
  readonly address: string;
  /** Where those outside of the cloud's network dial; left out where that is nowhere else. */
  readonly publicAddress?: string;
  readonly ports: { readonly api: number; readonly mongo: number };
  readonly state: string;
  /** Where the cloud says that it is; left out where nobody asked. */
  readonly zone?: string;
  /** Why it does not come up, by its console; left out where nothing says so. */
  readonly fault?: string;
  /** What the cloud's own checks of it say; left out unless they fail. */
  readonly checks?: 'failing';
  /** When the cloud is going to stop or end it, ISO 8601; left out where it is not. */
  readonly retiresAt?: string;
}

/** What two words of the cloud are the same in, besides why it does not come up and where it is. */
const SAID = ['id', 'address', 'publicAddress', 'state', 'checks', 'retiresAt'] as const;

/** Whether two say the same of an instance; `fault` and `zone` are compared by who keeps them. Pure. */
export function isSameRecord(a: InstanceRecord, b: InstanceRecord): boolean {
  const same = SAID.every((field) => (a[field] ?? '') === (b[field] ?? ''));
  return same && a.ports.api === b.ports.api && a.ports.mongo === b.ports.mongo;
}

/** What documents hold of it: what is not there is left out. Pure. */
export function kept({ id, address, publicAddress, ports: { api, mongo }, state, checks, retiresAt }: InstanceRecord) {
  return {
    id,
    address,
    ...(publicAddress ? { publicAddress } : {}),
    ports: { api, mongo },
    state,
    ...(checks ? { checks } : {}),
    ...(retiresAt ? { retiresAt } : {}),
  };
}
