import { type Static, Type } from '@sinclair/typebox';
import { UserRole } from '../state/user-documents.js';

export { UserRole };

export const UserName = Type.String({ pattern: '^[A-Za-z0-9._@-]{1,64}$' });

/** How long it must be is said by a sentence of its own. */
const Password = Type.String({ minLength: 1, maxLength: 256 });

/** A user as the API tells it; never with what is kept of the password. */
export const User = Type.Object({
  name: Type.String(),
  role: Type.Union([UserRole, Type.Null()], { description: 'null: revoked' }),
  createdAt: Type.String(),
  createdBy: Type.String(),
  lastLoginAt: Type.String({ description: 'empty: never' }),
  version: Type.Integer(),
});
export type User = Static<typeof User>;

export const Users = Type.Object({ users: Type.Array(User) });
export type Users = Static<typeof Users>;

export const NewUser = Type.Object(
  { name: UserName, role: UserRole, password: Password },
  { additionalProperties: false },
);
export type NewUser = Static<typeof NewUser>;

export const PutRole = Type.Object({ role: UserRole }, { additionalProperties: false });
export type PutRole = Static<typeof PutRole>;

export const PutPassword = Type.Object(
  {
    password: Password,
    current: Type.Optional({
      ...Password,
      description: 'the present one, where it is one’s own and one has no certificate',
    }),
  },
  { additionalProperties: false },
);
export type PutPassword = Static<typeof PutPassword>;

export const LogIn = Type.Object(
  {
    user: UserName,
    password: Password,
    hours: Type.Optional(Type.Integer({ minimum: 1, maximum: 720, description: 'until the token is void; 24' })),
  },
  { additionalProperties: false },
);
export type LogIn = Static<typeof LogIn>;

/** Who the environment takes the caller for. */
export const WhoAmI = Type.Object({
  user: Type.String(),
  role: Type.String(),
  by: Type.Union([Type.Literal('certificate'), Type.Literal('token'), Type.Literal('worker')]),
  expiresAt: Type.String({ description: 'of the certificate or token that was shown' }),
  environment: Type.Object({ name: Type.String(), uuid: Type.String() }),
});
export type WhoAmI = Static<typeof WhoAmI>;

export const AuditEntry = Type.Object({
  at: Type.String(),
  user: Type.String({ description: 'empty: nobody that is known here' }),
  role: Type.String(),
  by: Type.String(),
  from: Type.String({ description: 'IP address' }),
  machine: Type.String({ description: 'the controller that answered' }),
  route: Type.String(),
  method: Type.String(),
  target: Type.String(),
  requestId: Type.String(),
  status: Type.Integer(),
  code: Type.String({ description: 'of a refusal; empty when it was done' }),
});
export type AuditEntry = Static<typeof AuditEntry>;

export const Audit = Type.Object({ entries: Type.Array(AuditEntry) });
export type Audit = Static<typeof Audit>;

export const AuditQuery = Type.Object({
  user: Type.Optional(Type.String({ maxLength: 64 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
});
