/** An event of Chromium's log of its network, as `--log-net-log` writes it. */
interface NetworkEvent {
  readonly type: number;
  readonly params?: Readonly<Record<string, unknown>>;
}

/**
 * Reads Chromium's log of its network: the names that it looked up, the addresses that it connected to and the packets that it sent,
 * those to the proxy excepted.
 *
 * @param proxy - its `host:port`
 * @throws Error when it has not even connected to the proxy
 * @see https://www.chromium.org/developers/design-documents/network-stack/netlog/
 */
export function readNetworkLog(text: string, proxy: string): readonly string[] {
  const [first = "", ...lines] = text.split("\n");
  const { constants } = JSON.parse(`${first.replace(/,\s*$/, "")}}`) as {
    readonly constants: { readonly logEventTypes: Readonly<Record<string, number>> };
  };
  const names = new Map(Object.entries(constants.logEventTypes).map(([name, type]) => [type, name]));
  // A browser that ends does not always write the end of the file.
  const events = lines.filter((line) => /^\{.*\},?$/.test(line)).map((line) => parseLine(line));
  const seen = events.flatMap(({ type, params = {} }) => describe(names.get(type), params) ?? []);
  const toProxy = `connected to ${proxy}`;
  if (!seen.includes(toProxy)) throw new Error(`The browser has not connected to its proxy ${proxy}`);
  return [...new Set(seen)].filter((each) => each !== toProxy);
}

function parseLine(line: string): NetworkEvent {
  return JSON.parse(line.replace(/,$/, "")) as NetworkEvent;
}

function describe(name = "", params: Readonly<Record<string, unknown>>): string | undefined {
  switch (name) {
    case "TCP_CONNECT_ATTEMPT":
      return params["address"] === undefined ? undefined : `connected to ${String(params["address"])}`;
    case "UDP_BYTES_SENT":
      return `sent ${String(params["byte_count"])} bytes by UDP`;
    case "HOST_RESOLVER_MANAGER_REQUEST": {
      const host = String(params["host"] ?? "");
      // An address is asked for too, and is its own answer.
      return host === "" || /^(\w+:\/\/)?(\d+\.){3}\d+(:\d+)?$/.test(host) ? undefined : `looked up ${host}`;
    }
    default:
      return undefined;
  }
}
