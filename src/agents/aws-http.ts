/** Settings of an SDK client's HTTP, as {@link httpSettings} makes them. */
export interface HttpSettings {
  readonly connectionTimeout: number;
  /** 0: none. */
  readonly requestTimeout: number;
  readonly throwOnRequestTimeout: boolean;
  /** 0: none. */
  readonly socketTimeout: number;
  readonly httpAgent: { readonly maxSockets: number };
  readonly httpsAgent: { readonly maxSockets: number };
}

const connectMs = 10_000;

/**
 * How an agent's SDK client speaks HTTP: calls that are in flight at once have a connection each.
 *
 * @param connections - to one host, at most
 * @param requestMs - how long a call may take; absent when its signal alone ends it
 */
export function httpSettings(connections: number, requestMs = 0): HttpSettings {
  const sockets = { maxSockets: connections };
  return {
    connectionTimeout: connectMs,
    requestTimeout: requestMs,
    throwOnRequestTimeout: true,
    socketTimeout: 0,
    httpAgent: sockets,
    httpsAgent: sockets,
  };
}
