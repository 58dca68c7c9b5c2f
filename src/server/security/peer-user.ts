import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";

/** Both ends of a connection. */
export type Ends = Pick<Socket, "remoteAddress" | "remotePort" | "localPort">;

/**
 * The number of the user whose process is at the other end of a connection within this machine; undefined where that cannot be told: on
 * other systems than Linux, and of other machines.
 *
 * @see https://docs.kernel.org/networking/proc_net_tcp.html
 */
export async function peerUser({ remoteAddress = "", remotePort, localPort }: Ends): Promise<number | undefined> {
  if (!/^(?:127\.|::1$|::ffff:127\.)/.test(remoteAddress)) return undefined;
  const tables = await Promise.all(
    ["tcp", "tcp6"].map((name) => readFile(`/proc/net/${name}`, "utf8").catch(() => "")),
  );
  const peer = remoteAddress.replace(/^::ffff:/, "");
  for (const line of tables.join("\n").split("\n")) {
    const [, own, other, , , , , user] = line.trim().split(/\s+/);
    // The address too: another user may have the same port at another one of this machine's addresses.
    if (addressOf(own) === peer && portOf(own) === remotePort && portOf(other) === localPort) return Number(user);
  }
  return undefined;
}

function portOf(end = ""): number {
  return Number.parseInt(end.split(":")[1] ?? "", 16);
}

// Addresses stand there in the machine's own order of bytes, four at a time.
function addressOf(end = ""): string | undefined {
  if (end.startsWith("00000000000000000000000001000000:")) return "::1";
  const [, four] = /^(?:0{16}FFFF0000)?([\dA-F]{8}):/.exec(end) ?? [];
  return four && [6, 4, 2, 0].map((at) => Number.parseInt(four.slice(at, at + 2), 16)).join(".");
}
