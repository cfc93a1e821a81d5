import { isIPv6 } from 'node:net';
import type { Route, RouteName } from '../api/routes.js';
import type { AuditDocument } from '../state/user-documents.js';
import type { Caller } from './login.js';

/** Whoever tried to log in, for the audit log: a name only where there is such a user. */
export interface Claimed {
  readonly user: string;
}

/** One answer, as far as the audit log may know it. */
export interface Answered {
  readonly name: RouteName;
  readonly route: Route;
  /** The path as it was asked for, with its query. */
  readonly url: string;
  readonly caller: Caller | null;
  /** Of a login. */
  readonly claimed: Claimed | null;
  readonly address: string;
  readonly requestId: string;
  readonly status: number;
  readonly code: string;
}

const LONGEST_TARGET = 200;

/**
 * What an answer leaves in the audit log; null when nothing. Changes by whom we know, done or not; certificates; logins,
 * failed ones too; and whatever somebody we know was refused. Only names go in: no body, no query, no password that was
 * typed where a name belongs. Pure.
 */
export function auditEntry(answered: Answered): Omit<AuditDocument, '_id' | 'at' | 'machine'> | null {
  const { name, route, caller, claimed, status, code } = answered;
  if (!isAudited(answered)) return null;
  const who =
    caller !== null
      ? { user: caller.user, role: caller.role, by: caller.by }
      : claimed !== null && claimed.user !== ''
        ? { user: claimed.user, role: '', by: 'password' as const }
        : { user: '', role: '', by: 'nothing' as const };
  const [path = ''] = answered.url.split('?');
  return {
    ...who,
    from: plainAddress(answered.address),
    route: name,
    method: route.method,
    target: path.slice(0, LONGEST_TARGET),
    requestId: answered.requestId,
    status,
    code,
  };
}

function isAudited({ name, route, caller, status }: Answered): boolean {
  // One that came too often was not even tried.
  if (name === 'login') return status === 200 || status === 401;
  if (caller === null) return false;
  return route.change === true || name === 'renew' || status === 403;
}

/** IPv4 as people write it, also where it came through a socket for both. */
function plainAddress(address: string): string {
  return isIPv6(address) ? address.replace(/^::ffff:(?=\d+\.)/i, '') : address;
}
