// Runs in a thread of its own: rows do not wait for the disk.
import { parentPort, workerData } from "node:worker_threads";
import type { AttemptGroup, WriterAnswer } from "./attempt-group.ts";
import { openDatabase } from "./sqlite.ts";
import { openAttemptWriter } from "./write-attempts.ts";

function answerTo(write: (group: AttemptGroup) => void, group: AttemptGroup): WriterAnswer {
  try {
    write(group);
    return {};
  } catch (error) {
    return { failure: error instanceof Error ? error : new Error(String(error)) };
  }
}

if (parentPort !== null) {
  const port = parentPort;
  const write = openAttemptWriter(openDatabase((workerData as { readonly path: string }).path));
  port.on("message", (group: AttemptGroup) => port.postMessage(answerTo(write, group)));
}
