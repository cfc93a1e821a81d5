import { QuorateError } from '../errors.js';
import { configuredTemporal } from '../temporal/connect.js';
import { isLoopback } from '../temporal/loopback.js';

/**
 * Where Temporal is, for machines elsewhere. Throws `loopback-temporal` where its address leads each of them to itself, as the
 * embedded one's does. Nothing is started for it, and nobody is asked.
 */
export async function temporalFromOutside(): Promise<string> {
  const configured = await configuredTemporal();
  if (configured === null) {
    throw unreachable(
      'Temporal would be the embedded one, which listens at 127.0.0.1: no instance of EC2 could reach it.',
    );
  }
  if (!(await isLoopback(configured.address))) return configured.address;
  throw unreachable(
    `Temporal is configured to be at ${configured.address}, which leads each instance of EC2 to itself.`,
  );
}

function unreachable(message: string): QuorateError {
  return new QuorateError('loopback-temporal', message, {
    todo: 'Name one that instances reach with TEMPORAL_ADDRESS or a Temporal profile; where they reach this one by a way of their own, bootstrap with --allow-loopback-temporal.',
    exit: 2,
  });
}
