// Runs in a thread of its own: rows do not wait for the disk.
import { parentPort, workerData } from "node:worker_threads";
import type { AttemptGroup, WriterAnswer } from "./attempt-group.ts";
import { inTransaction, openDatabase } from "./sqlite.ts";

interface Writer {
  write(group: AttemptGroup): void;
}

function openWriter(path: string): Writer {
  const database = openDatabase(path);
  const insert = database.prepare("INSERT OR REPLACE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const count = database.prepare(
    "UPDATE runs SET succeeded = succeeded + ?, failed = failed + ?, in_flight = ? WHERE seq = ?",
  );
  const writeAll = ({ run, numbers, texts, succeeded, failed, underWay }: AttemptGroup): void => {
    for (let n = 0, t = 0; n < numbers.length; n += 5, t += 4) {
      const endedAt = numbers[n + 3] ?? Number.NaN;
      insert.run(
        run,
        numbers[n] ?? 0,
        numbers[n + 1] ?? 0,
        numbers[n + 2] ?? 0,
        Number.isNaN(endedAt) ? null : endedAt,
        numbers[n + 4] ?? 0,
        texts[t] ?? null,
        texts[t + 1] ?? null,
        texts[t + 2] ?? null,
        texts[t + 3] ?? null,
      );
    }
    count.run(succeeded, failed, underWay, run);
  };
  return { write: (group) => inTransaction(database, () => writeAll(group)) };
}

function answerTo(writer: Writer, group: AttemptGroup): WriterAnswer {
  try {
    writer.write(group);
    return {};
  } catch (error) {
    return { failure: error instanceof Error ? error : new Error(String(error)) };
  }
}

if (parentPort !== null) {
  const port = parentPort;
  const writer = openWriter((workerData as { readonly path: string }).path);
  port.on("message", (group: AttemptGroup) => port.postMessage(answerTo(writer, group)));
}
