/** Settings of an SDK client's HTTP, as {@link httpSettings} makes them. */
export interface HttpSettings {
  readonly connectionTimeout: number;
  readonly requestTimeout: 0;
  readonly socketTimeout: 0;
  readonly httpAgent: { readonly maxSockets: number };
  readonly httpsAgent: { readonly maxSockets: number };
}

const connectMs = 10_000;

/**
 * How an agent's SDK client speaks HTTP: once a connection stands, only the attempt's signal ends a call, and every
 * invocation that is under way has a connection of its own.
 *
 * @param connections - to one host, at most
 */
export function httpSettings(connections: number): HttpSettings {
  const sockets = { maxSockets: connections };
  return { connectionTimeout: connectMs, requestTimeout: 0, socketTimeout: 0, httpAgent: sockets, httpsAgent: sockets };
}
