import { type Static, Type } from '@sinclair/typebox';
import { PortRange, PortRule } from '../machines/ports.js';

/** What is let in from outside to a machine, and how far it is so. */
export const Ingress = Type.Object({
  rules: Type.Array(PortRule),
  /** Rises with every change of the rules, and when they are to be put right. */
  version: Type.Integer(),
  open: Type.Boolean({ description: 'these rules are in effect, and no others, as far as is known' }),
  address: Type.String({ description: 'where the ports are reachable from outside; empty until that is known' }),
  error: Type.String({ description: 'why some of it is not open; it is tried again by itself' }),
});
export type Ingress = Static<typeof Ingress>;

const RANGES_AT_ONCE = { minItems: 1, maxItems: 50 };

export const Expose = Type.Object({ rules: Type.Array(PortRule, RANGES_AT_ONCE) }, { additionalProperties: false });
export type Expose = Static<typeof Expose>;

export const Unexpose = Type.Object({ ports: Type.Array(PortRange, RANGES_AT_ONCE) }, { additionalProperties: false });
export type Unexpose = Static<typeof Unexpose>;

/** What is exposed on a machine by now. */
export const Exposed = Type.Object({ machine: Type.String(), rules: Type.Array(PortRule) });
export type Exposed = Static<typeof Exposed>;
