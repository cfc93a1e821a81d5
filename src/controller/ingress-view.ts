import type { Ingress } from '../api/exposures.js';
import { portsText } from '../machines/ports.js';
import type { MachineDocument } from '../state/documents.js';

/** What is exposed on a machine, as the API tells it with the machine. */
export function ingressView({ ingress }: Pick<MachineDocument, 'ingress'>): {
  readonly ports: string[];
  readonly ingress: Ingress | null;
} {
  if (ingress === undefined) return { ports: [], ingress: null };
  const { rules, version, applied, address, error } = ingress;
  return { ports: rules.map(portsText), ingress: { rules, version, open: applied === version, address, error } };
}
