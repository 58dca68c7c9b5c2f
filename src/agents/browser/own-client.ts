import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { userOfEnd } from "../../core/tcp-table.ts";

/**
 * Whether the other end of a connection within this machine belongs to the user of this process, as far as the system tells: on Linux.
 * A listener on 127.0.0.1 is open to every user of the machine.
 *
 * @param socket - the end that has accepted the connection
 */
export async function isOwnClient(socket: Socket): Promise<boolean> {
  if (process.platform !== "linux") return true;
  const table = await readFile("/proc/net/tcp", "latin1").catch(() => undefined);
  // Some containers hide it; they have one user.
  if (table === undefined) return true;
  const own = { address: socket.localAddress ?? "", port: socket.localPort ?? 0 };
  const other = { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
  const client = userOfEnd(table, other, own);
  // A table that does not even know this end tells nothing.
  return client === undefined ? userOfEnd(table, own, other) === undefined : client === process.getuid?.();
}
