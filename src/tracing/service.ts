/** Who the spans are of, in OpenTelemetry's words for services. */
export interface Service {
  readonly name: 'quorate' | 'quorate-agent' | 'quorate-api' | 'quorate-worker' | 'quorate-engine-worker';
  readonly environment?: string;
  readonly machine?: string;
}
