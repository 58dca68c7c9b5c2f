import type { ServerContext } from "../server-setup.ts";
import type { Operation } from "./operation.ts";
import { batchOperations } from "./batch-operations.ts";
import { eventOperations } from "./event-operations.ts";
import { agentOperations, templateOperations } from "./registry-operations.ts";
import { rowOperations } from "./row-operations.ts";
import { runOperations } from "./run-operations.ts";
import { sessionOperations } from "./session-operations.ts";

/** Every operation of the API by the tag that it has in the API's document, in the order of that. */
export function listOperations(context: ServerContext): Readonly<Record<string, readonly Operation[]>> {
  return {
    Runs: runOperations(context),
    Rows: rowOperations(context),
    Events: eventOperations(context),
    Batches: batchOperations(context),
    Agents: agentOperations(context),
    Templates: templateOperations(context),
    Sessions: sessionOperations(context),
  };
}
