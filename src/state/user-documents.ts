import { type Static, Type } from '@sinclair/typebox';

/** Documents of who may come in, and of who did what. See documents.ts for what they have in common with the others. */

export const UserRole = Type.Union([Type.Literal('read'), Type.Literal('write'), Type.Literal('admin')]);
export type UserRole = Static<typeof UserRole>;

/** What is kept of a password, with all that it takes to try another one against it. */
export const PasswordHash = Type.Object({
  algorithm: Type.Literal('scrypt'),
  /** scrypt's N, r and p. */
  cost: Type.Integer(),
  blockSize: Type.Integer(),
  parallelization: Type.Integer(),
  salt: Type.String({ description: 'base64' }),
  hash: Type.String({ description: 'base64' }),
});
export type PasswordHash = Static<typeof PasswordHash>;

/** Collection `users`: people who log in with a password. */
export const UserDocument = Type.Object({
  _id: Type.String({ description: 'name' }),
  /** null: revoked; the password is kept and opens nothing. */
  role: Type.Union([Type.Null(), UserRole]),
  password: PasswordHash,
  createdAt: Type.Unsafe<Date>({ bsonType: 'date' }),
  createdBy: Type.String(),
  /** Written by every login, so that none gets past a change of password or role that is made at the same time. */
  lastLoginAt: Type.Union([Type.Null(), Type.Unsafe<Date>({ bsonType: 'date' })]),
  version: Type.Integer(),
});
export type UserDocument = Static<typeof UserDocument>;

/** Collection `audit`: who changed what, with what result. No bodies, no queries. MongoDB removes it after 90 days. */
export const AuditDocument = Type.Object({
  _id: Type.String({ description: 'made by the controller that answered: written again, it is the same' }),
  at: Type.Unsafe<Date>({ bsonType: 'date' }),
  /** Empty: nobody that is known here. */
  user: Type.String(),
  role: Type.String(),
  by: Type.Union([
    Type.Literal('certificate'),
    Type.Literal('worker'),
    Type.Literal('token'),
    Type.Literal('password'),
    Type.Literal('nothing'),
  ]),
  /** IP address. */
  from: Type.String(),
  /** Machine ID of the controller that answered. */
  machine: Type.String(),
  /** Name in the table of routes. */
  route: Type.String(),
  method: Type.String(),
  /** The path, without the query. */
  target: Type.String(),
  requestId: Type.String(),
  /** HTTP status of the answer. */
  status: Type.Integer(),
  /** The code of a refusal; empty when it was done. */
  code: Type.String(),
});
export type AuditDocument = Static<typeof AuditDocument>;
