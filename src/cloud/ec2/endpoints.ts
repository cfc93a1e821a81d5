/** A service's endpoint by its word in the SDK's variables, and `all` for those that have none of their own. */
export type Endpoints = Readonly<Record<string, string>>;

const VARIABLE = 'AWS_ENDPOINT_URL';
/** As the SDK ends the variable of each service that is called. */
export type EndpointOf = 'EC2' | 'S3' | 'SSM' | 'STS' | 'SERVICE_QUOTAS';
const SERVICES: readonly EndpointOf[] = ['EC2', 'S3', 'SSM', 'STS', 'SERVICE_QUOTAS'];

/**
 * What the SDK's own variables say, so that it can be kept with an environment: instances and other shells do not have
 * these variables. Pure.
 */
export function endpointsFrom(env: NodeJS.ProcessEnv): Endpoints {
  const said = (variable: string) => env[variable]?.trim() ?? '';
  const named = [
    ['all', said(VARIABLE)] as const,
    ...SERVICES.map((service) => [service, said(`${VARIABLE}_${service}`)] as const),
  ];
  return Object.fromEntries(named.filter(([, url]) => url !== ''));
}

/** null where it is the SDK's to know. Pure. */
export function endpointOf(endpoints: Endpoints, service: EndpointOf): string | null {
  return endpoints[service] ?? endpoints.all ?? null;
}
