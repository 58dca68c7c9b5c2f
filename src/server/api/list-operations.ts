import type { ServerContext } from "../server-setup.ts";
import type { Operation } from "./operation.ts";
import { batchOperations } from "./batch-operations.ts";
import { eventOperations } from "./event-operations.ts";
import { registryOperations } from "./registry-operations.ts";
import { rowOperations } from "./row-operations.ts";
import { runOperations } from "./run-operations.ts";
import { sessionOperations } from "./session-operations.ts";

/** Every operation of the API, in the order of its document. */
export function listOperations(context: ServerContext): readonly Operation[] {
  return [
    ...runOperations(context),
    ...rowOperations(context),
    ...eventOperations(context),
    ...batchOperations(context),
    ...registryOperations(context),
    ...sessionOperations(context),
  ];
}
