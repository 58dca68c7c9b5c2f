import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { privateFile } from "../../core/private-modes.ts";
import { endGroup } from "../../agents/process-group.ts";

/** Options of a worker's process. */
export interface WorkerProcessOptions {
  readonly activityArn: string;
  readonly concurrency: number;
  readonly env: NodeJS.ProcessEnv;
  readonly allowedModules: readonly string[];
  /** Where its log goes, `worker.log`. */
  readonly folder: string;
}

const launcher = fileURLToPath(new URL("../../../bin/rowcall.js", import.meta.url));
const patienceMs = 10_000;

/** Starts `rowcall worker`. @returns lets it finish what it has, and ends it */
export function startWorkerProcess(options: WorkerProcessOptions): { close(): Promise<void> } {
  const { activityArn, concurrency, env, folder, allowedModules } = options;
  const args = ["worker", "--activity-arn", activityArn, "--concurrency", String(concurrency), "--name", "sandbox"];
  for (const module of allowedModules) args.push("--allow-module", module);
  // A group of its own: an interrupt at the terminal reaches the sandbox, which ends it in its turn. When the sandbox is killed,
  // the worker hears it by the end of the channel between them.
  const child = spawn(process.execPath, [launcher, ...args], {
    env,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    detached: true,
  });
  child.stderr?.pipe(createWriteStream(join(folder, "worker.log"), { mode: privateFile }));
  return { close: () => endGroup(child, () => child.kill("SIGTERM"), patienceMs) };
}
