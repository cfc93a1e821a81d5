import { type Static, Type } from '@sinclair/typebox';

/**
 * Whom the environment trusts, in the environment's document; absent until its CA is rotated for the first time. Nothing in
 * it is secret: the keys go from controller to controller.
 */
export const AuthorityState = Type.Object({
  /** Rises with every step of a rotation: agents say which one they have put into effect. */
  version: Type.Integer(),
  /**
   * trusting: the next CA is trusted beside the present one, which issues. issuing: the next one issues, the one before is
   * still trusted. dropping: it is no longer. done: everybody has heard that.
   */
  phase: Type.Union([
    Type.Literal('trusting'),
    Type.Literal('issuing'),
    Type.Literal('dropping'),
    Type.Literal('done'),
  ]),
  /** CAs, PEM, the one that issues first. */
  trusted: Type.String(),
  /** PEM: what the CA before says of the one that was made last. API servers show it besides their own. */
  voucher: Type.String(),
  /** When this phase began, by the database's clock. */
  since: Type.Unsafe<Date>({ bsonType: 'date' }),
  /** Machines with this ID and later ones were asked for when the last CA issued already. */
  firstMachine: Type.Integer(),
  /** The controller that made the last CA: nobody else has its key until others have fetched it. */
  maker: Type.String(),
  /** First run ID of the change that made the last CA. */
  change: Type.String(),
  /** Machines that were not waited for: they are not let in any more. */
  left: Type.Array(Type.String()),
});
export type AuthorityState = Static<typeof AuthorityState>;

/** Whether a rotation has begun and is not at its end. */
export function isRotating(authority: AuthorityState | undefined): authority is AuthorityState {
  return authority !== undefined && authority.phase !== 'done';
}
