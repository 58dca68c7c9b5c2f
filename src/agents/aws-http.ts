const connectMs = 10_000;

/**
 * HTTP settings of an agent's SDK client: calls that are in flight at once have a connection each.
 *
 * @param connections - to one host, at most
 * @param requestMs - how long a call may take; 0 when its signal alone ends it
 */
export function httpSettings(connections: number, requestMs = 0) {
  const agent = { maxSockets: connections };
  return {
    connectionTimeout: connectMs,
    requestTimeout: requestMs,
    throwOnRequestTimeout: true,
    socketTimeout: 0,
    httpAgent: agent,
    httpsAgent: agent,
  };
}
