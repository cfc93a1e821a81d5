/** An instance by its tags. */
export interface TaggedInstance {
  readonly id: string;
  readonly machine: string;
  readonly nonce: string;
}

/** Of a machine's document, what says which instance is its own. */
export interface Owner {
  readonly _id: string;
  readonly nonce: string;
  readonly instance: { readonly id: string } | null;
}

/**
 * The instances that belong to no machine: nobody's document has their nonce, or it has another instance. A document comes
 * before its instance, so one that is being started is never among them. Nor is one whose machine's ID was never given out
 * as far as these documents know: then it is they that lack something (a majority was lost and `recover` went on with less),
 * and what runs there may be all that is left of it. `nextMachine` is the next ID to be given out.
 */
export function leftoversAmong<I extends TaggedInstance>(
  instances: readonly I[],
  machines: readonly Owner[],
  nextMachine: number,
): readonly I[] {
  const byNonce = new Map(machines.map((machine) => [machine.nonce, machine]));
  const owned = new Set(machines.flatMap(({ instance }) => (instance === null ? [] : [instance.id])));
  return instances.filter(({ id, machine, nonce }) => {
    if (owned.has(id) || !(Number(machine) < nextMachine)) return false;
    const owner = byNonce.get(nonce);
    return owner === undefined || (owner.instance !== null && owner.instance.id !== id);
  });
}
