import { availableParallelism, tmpdir } from "node:os";
import process from "node:process";
import type { AwsRuns, Wiring } from "../../app/wire.ts";
import type { PlanCheck } from "../../app/check.ts";
import { messageOf, RowcallError } from "../../core/errors.ts";
import { listServing } from "../../server/note-serving.ts";
import type { Finding } from "../print/print-checks.ts";
import { lookAtProcessor, lookAtRegistry } from "./batch-findings.ts";
import { lookAtBrowser, type BrowserFindings } from "./browser-findings.ts";
import { lookAtDisk, lookAtMemory, lookAtNode, writeIn } from "./machine-findings.ts";
import { lookAtFileModes, lookAtServers } from "./privacy-findings.ts";

/** What checks look at. */
export interface Machine {
  readonly wiring: Wiring;
  /** Which batch processor on AWS runs batches. @throws RowcallError USAGE_INVALID when that is not said */
  readonly processor: () => AwsRuns;
  /** Starts the browser once, for all checks that look at it. */
  readonly browser: () => Promise<BrowserFindings>;
}

/** One thing that `rowcall doctor` looks at; docs/doctor.md has them all. */
export interface DoctorCheck {
  readonly id: string;
  /** What is true when it passes. */
  readonly title: string;
  /** Made only where batches run there. */
  readonly engine?: "aws";
  /** How it ends when `look` throws. @default failed */
  readonly thrown?: "failed" | "warning";
  /** What to do then, when the error itself does not say. */
  readonly hint?: string;
  look(machine: Machine): Finding | Promise<Finding>;
}

/** Every check, in the order in which it is shown. */
export const doctorChecks: readonly DoctorCheck[] = [
  {
    id: "node",
    title: "Node is 24 or newer",
    look: () => lookAtNode(process.versions.node),
  },
  {
    id: "chromium",
    title: "Chromium starts and shows a page",
    look: async ({ browser }) => (await browser()).chromium,
  },
  {
    id: "sandbox",
    title: "Pages run in Chromium's sandbox",
    look: async ({ browser }) => (await browser()).sandbox,
  },
  {
    id: "memory",
    title: "There is memory for browsers",
    look: () => lookAtMemory(process.availableMemory(), availableParallelism()),
  },
  {
    id: "disk",
    title: "There is disk space for runs",
    look: ({ wiring }) => lookAtDisk(wiring.dataDirectory),
  },
  {
    id: "registry",
    title: "The registry can be read and everything in it is valid",
    hint: "Check --registry and the right to read its files.",
    look: ({ wiring }) => lookAtRegistry(wiring),
  },
  {
    id: "data_directory",
    title: "The data directory can be written",
    hint: "Choose another --data-dir.",
    look: ({ wiring }) => writeIn(wiring.dataDirectory),
  },
  {
    id: "working_directory",
    title: "The working directory can be written",
    thrown: "warning",
    hint: "Outputs that are named relative to it cannot be written; name another place: `rowcall run --output PLACE`.",
    look: ({ wiring }) => writeIn(wiring.services.baseDirectory),
  },
  {
    id: "temporary_folder",
    title: "The folder for temporary files can be written",
    hint: "Set TMPDIR to a folder that can be written.",
    look: () => writeIn(tmpdir()),
  },
  {
    id: "file_modes",
    title: "The data directory is yours alone",
    look: ({ wiring }) => lookAtFileModes(wiring.dataDirectory),
  },
  {
    id: "exposed_endpoints",
    title: "No server is open to others without encryption",
    look: async ({ wiring }) => lookAtServers(await listServing(wiring.dataDirectory)),
  },
  {
    id: "batch_processor",
    title: "The batch processor on AWS can be used",
    engine: "aws",
    look: ({ wiring, processor }) => lookAtProcessor(wiring, processor()),
  },
];

/** Makes a check; it never throws. */
export async function makeCheck(check: DoctorCheck, machine: Machine): Promise<PlanCheck> {
  const { id, title, thrown: status = "failed", hint } = check;
  try {
    return { id, title, ...(await check.look(machine)) };
  } catch (thrown) {
    const advice = (thrown instanceof RowcallError ? thrown.hint : undefined) ?? hint;
    return { id, title, status, detail: messageOf(thrown), hint: advice };
  }
}

/** Makes every check, one after the other. @param engine - where batches run */
export async function makeChecks(
  { wiring, processor }: Pick<Machine, "wiring" | "processor">,
  engine: "local" | "aws",
): Promise<readonly PlanCheck[]> {
  let found: Promise<BrowserFindings> | undefined;
  const machine = { wiring, processor, browser: () => (found ??= lookAtBrowser(wiring.host)) };
  const made: PlanCheck[] = [];
  for (const check of doctorChecks) {
    if (check.engine === undefined || check.engine === engine) made.push(await makeCheck(check, machine));
  }
  return made;
}
