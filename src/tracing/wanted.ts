/**
 * Whether OpenTelemetry's standard variables ask for traces: an endpoint, or the exporter by its name. Nothing is sent by
 * itself, not even to a collector on this machine.
 */
export function tracingWanted(env: NodeJS.ProcessEnv): boolean {
  const { OTEL_SDK_DISABLED: off, OTEL_TRACES_EXPORTER: exporter = '' } = env;
  if (off?.toLowerCase() === 'true' || exporter === 'none') return false;
  if (exporter !== '') return exporter.split(',').some((name) => name.trim() === 'otlp');
  return Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
}
