/** The two parts of host:port, an IPv6 address without its brackets; an empty host where there is none. Pure. */
export function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, Math.max(0, colon)).replace(/^\[|\]$/g, '');
  return { host, port: Number(address.slice(colon + 1)) };
}
