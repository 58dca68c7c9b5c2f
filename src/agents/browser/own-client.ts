import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";

/**
 * Whether the other end of a connection within this machine belongs to the user of this process, as far as the system tells: on Linux.
 * A listener on 127.0.0.1 is open to every user of the machine.
 *
 * @param socket - the end that has accepted the connection
 */
export async function isOwnClient({ remotePort = 0, localPort = 0 }: Socket): Promise<boolean> {
  if (process.platform !== "linux") return true;
  const table = await readFile("/proc/net/tcp", "latin1").catch(() => undefined);
  // Some containers hide it; they have one user.
  if (table === undefined) return true;
  const client = ownerOf(table, remotePort, localPort);
  // A table that does not even know this end tells nothing.
  return client === undefined ? ownerOf(table, localPort, remotePort) === undefined : client === process.getuid?.();
}

/**
 * The user of one end of a connection within 127.0.0.1.
 *
 * @param table - as `/proc/net/tcp` has it, after its number: own address, the other's, state, queues, timer, retransmissions, user
 */
function ownerOf(table: string, own: number, other: number): number | undefined {
  const end = (port: number): string => `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const start = table.indexOf(` ${end(own)} ${end(other)} `);
  if (start < 0) return undefined;
  return Number(table.slice(start, table.indexOf("\n", start)).trim().split(/\s+/)[6]);
}
