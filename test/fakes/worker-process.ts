import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { EndpointKeys } from "../../src/server/stepfunctions/signature.ts";

/** A line of `rowcall worker --json`. */
export interface WorkerLine {
  readonly type: string;
  readonly runId: string;
  readonly row: number;
  readonly attempt: number;
}

/** A worker in a process of its own. */
export interface WorkerProcess {
  readonly name: string;
  /** What it has told so far. */
  readonly lines: readonly WorkerLine[];
  readonly child: ChildProcess;
  /** Until it has told something. */
  told(isIt: (lines: readonly WorkerLine[]) => boolean): Promise<void>;
  /** Its exit code once it has ended; null after a signal. */
  readonly ended: Promise<number | null>;
}

const cli = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** Starts `rowcall worker`; who starts it ends it. */
export function startWorkerProcess(
  name: string,
  { url, keys }: { readonly url: string; readonly keys: EndpointKeys },
  arn: string,
  ...args: readonly string[]
): WorkerProcess {
  const child = spawn(
    process.execPath,
    [cli, "worker", "--json", "--name", name, "--endpoint-url", url, "--activity-arn", arn, ...args],
    {
      env: {
        ...process.env,
        AWS_ACCESS_KEY_ID: keys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const lines: WorkerLine[] = [];
  const reader = createInterface(child.stdout);
  reader.on("line", (line) => lines.push(JSON.parse(line) as WorkerLine));
  return {
    name,
    lines,
    child,
    told: async (isIt) => {
      while (!isIt(lines)) await Promise.race([once(reader, "line"), failAtEnd(reader, name)]);
    },
    ended: once(child, "close").then(([code]) => code as number | null),
  };
}

async function failAtEnd(reader: NodeJS.EventEmitter, name: string): Promise<never> {
  await once(reader, "close");
  throw new Error(`Worker ${name} ended before it told what was waited for`);
}
