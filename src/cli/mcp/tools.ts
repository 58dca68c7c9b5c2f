import type { Tool } from "./tool.ts";
import { listAgentsTool, listRunsTool, showAgentTool } from "./tools/look-around.ts";
import { planBatchTool } from "./tools/plan-batch.ts";
import { runProgressTool } from "./tools/run-progress.ts";
import { runResultsTool } from "./tools/run-results.ts";
import { startBatchTool } from "./tools/start-batch.ts";
import { rerunFailedTool, resumeRunTool, stopRunTool } from "./tools/steer-run.ts";
import { tryRowTool } from "./tools/try-row.ts";

/** Every tool, in the order in which a table is run. */
export const tools: readonly Tool[] = [
  listAgentsTool,
  showAgentTool,
  planBatchTool,
  tryRowTool,
  startBatchTool,
  runProgressTool,
  runResultsTool,
  rerunFailedTool,
  stopRunTool,
  resumeRunTool,
  listRunsTool,
];
