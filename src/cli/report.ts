import { CommanderError } from 'commander';
import { QuorateError, reasonOf } from '../errors.js';
import { codeOf, GRPC } from '../temporal/refusals.js';

/** One sentence on stderr for whatever went wrong. @returns the exit code: 2 wrong usage, 1 failure. */
export function reportError(error: unknown): 1 | 2 {
  if (error instanceof CommanderError) {
    process.stderr.write(`quorate: ${usageSentence(error.message)}\n`);
    return 2;
  }
  if (error instanceof QuorateError) {
    process.stderr.write(`quorate: ${[error.message, error.todo].filter(Boolean).join('\n')}\n`);
    return error.exit;
  }
  const system = temporalSentence(error) ?? systemSentence(error);
  if (system) {
    process.stderr.write(`quorate: ${system}\n`);
    return 1;
  }
  process.stderr.write(
    `quorate: this should not have happened; please report it with the lines below.\n${error instanceof Error ? error.stack : String(error)}\n`,
  );
  return 1;
}

/** Commander says "error: unknown command 'stats'\n(Did you mean status?)"; we say it in one line and what to do. */
function usageSentence(message: string): string {
  const plain = message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  return /Did you mean|--help/.test(plain) ? plain : `${plain}. See: quorate --help`;
}

/** gRPC: cancelled, deadline exceeded, unavailable. */
const AWAY: readonly unknown[] = [1, 4, 14];

/** Temporal refused, ended or fell silent in the middle. Known by its name: most commands do not load Temporal's client. */
function temporalSentence(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const { name, cause, code } = error as Error & { code?: unknown };
  const said = name === 'ServiceError' && cause instanceof Error ? cause : error;
  const isAway = name === 'ServiceError' || ('metadata' in error && AWAY.includes(code));
  if (!isAway) return null;
  const refused = codeOf(said);
  if (refused === GRPC.permissionDenied || refused === GRPC.unauthenticated)
    return `Temporal refuses this client: ${reasonOf(said)}. What it may do in its namespace is decided there: the API key or certificate of the Temporal client configuration has to be one that may write.`;
  return `Temporal does not answer any more: ${reasonOf(said)}. What was started goes on by itself; see quorate engine status, then quorate changes, and type the command again where it is not among them.`;
}

/** What the operating system refuses has a plain reason and no defect behind it. */
function systemSentence(error: unknown): string | null {
  const { code, path } = (error ?? {}) as NodeJS.ErrnoException;
  const where = path ? ` ${path}` : '';
  switch (code) {
    case 'ENOSPC':
      return `the disk is full; nothing more can be written to${where || ' it'}. Free some space and run the command again.`;
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `${where.trim() || 'a file'} may not be written or read (${code}). Change its owner or mode, or set QUORATE_HOME to a directory of yours.`;
    case 'EMFILE':
    case 'ENFILE':
      return `too many files are open (${code}). Raise the limit (ulimit -n) and run the command again.`;
    default:
      return null;
  }
}
