import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import type { Context } from "hono";
import { plainAddress, userOfEnd } from "../../core/tcp-table.ts";

/** Both ends of a connection. */
export type Ends = Pick<Socket, "remoteAddress" | "remotePort" | "localAddress" | "localPort">;

/** The connection that a request came by; undefined without a port, as in tests. */
export function connectionOf({ env }: Context): Ends | undefined {
  return ((env ?? {}) as { readonly incoming?: { readonly socket?: Ends } }).incoming?.socket;
}

/**
 * The number of the user whose process is at the other end of a connection within this machine; undefined where that cannot be told: on
 * other systems than Linux, and of other machines.
 */
export async function peerUser(connection: Ends): Promise<number | undefined> {
  const { remoteAddress = "", remotePort = 0, localAddress = "", localPort = 0 } = connection;
  const [peer, own] = [plainAddress(remoteAddress), plainAddress(localAddress)];
  if (!/^(?:127\.|::1$)/.test(peer)) return undefined;
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((name) => readFile(`/proc/net/${name}`, "utf8").catch(() => "")),
  );
  return userOfEnd(tables.join("\n"), { address: peer, port: remotePort }, { address: own, port: localPort });
}
