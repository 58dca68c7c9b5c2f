// Runs in a thread of its own: rows do not wait for the disk.
import { parentPort, workerData } from "node:worker_threads";
import type { WriterAnswer, WriterOrder } from "./attempt-group.ts";
import { openDatabase, type Database } from "./sqlite.ts";
import { openAttemptWriter } from "./write-attempts.ts";

function openWriter(database: Database): (order: WriterOrder) => WriterAnswer {
  const write = openAttemptWriter(database);
  return ({ group, isSynced }) => {
    try {
      // A commit that is synced syncs what was written to the log before it too.
      database.exec(`PRAGMA synchronous = ${isSynced ? "FULL" : "NORMAL"}`);
      write(group);
      return {};
    } catch (error) {
      return { failure: error instanceof Error ? error : new Error(String(error)) };
    } finally {
      // At once: a collector that knows of bytes alone lets tens of megabytes of them pile up.
      for (const text of group.texts) if (text instanceof Uint8Array) text.buffer.transfer(0);
    }
  };
}

if (parentPort !== null) {
  const port = parentPort;
  const write = openWriter(openDatabase((workerData as { readonly path: string }).path));
  port.postMessage({ isReady: true } satisfies WriterAnswer);
  port.on("message", (order: WriterOrder) => port.postMessage(write(order)));
}
