/** A host and port to be reached. */
export interface Target {
  /** As in an URL's `hostname`: lower case, IPv6 in brackets. */
  readonly hostname: string;
  readonly port: number;
}

/** Host and port of a web address. */
export function targetOf({ hostname, port, protocol }: URL): Target {
  const secure = protocol === "https:" || protocol === "wss:";
  return { hostname, port: port === "" ? (secure ? 443 : 80) : Number(port) };
}

/** Target as it stands in requests: `example.com:443`. */
export function authorityOf({ hostname, port }: Target): string {
  return `${hostname}:${port}`;
}
