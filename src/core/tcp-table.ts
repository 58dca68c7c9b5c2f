/** One end of a connection. */
export interface TcpEnd {
  /** `127.0.0.1` or `::1`. */
  readonly address: string;
  readonly port: number;
}

/**
 * The number of the user whose process has one end of a connection within a machine; undefined when the connection is not in the table.
 * Both ends count whole: other users may have the same port at another one of the machine's addresses.
 *
 * @param table - as Linux has it in `/proc/net/tcp` and `/proc/net/tcp6`
 * @see https://docs.kernel.org/networking/proc_net_tcp.html
 */
export function userOfEnd(table: string, own: TcpEnd, other: TcpEnd): number | undefined {
  const port = (end: TcpEnd): string => end.port.toString(16).toUpperCase().padStart(4, "0");
  const rows = new RegExp(`^ *\\d+: ([\\dA-F]+):${port(own)} ([\\dA-F]+):${port(other)} .*$`, "gm");
  for (const [row, ownAddress = "", otherAddress = ""] of table.matchAll(rows))
    if (addressOf(ownAddress) === own.address && addressOf(otherAddress) === other.address)
      return Number(row.trim().split(/\s+/)[7]);
  return undefined;
}

/** An address as the table knows it: one of the older family that comes in the newer one's clothes is itself. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, "");
}

// Addresses stand there in the machine's own order of bytes, four at a time.
function addressOf(hex: string): string | undefined {
  if (hex === "00000000000000000000000001000000") return "::1";
  const [, four] = /^(?:0{16}FFFF0000)?([\dA-F]{8})$/.exec(hex) ?? [];
  return four && [6, 4, 2, 0].map((at) => Number.parseInt(four.slice(at, at + 2), 16)).join(".");
}
