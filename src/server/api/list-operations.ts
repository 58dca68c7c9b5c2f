import type { ServerContext } from "../server-setup.ts";
import type { Operation } from "./operation.ts";
import { runOperations } from "./run-operations.ts";

/** Every operation of the API, in the order of its document. */
export function listOperations(context: ServerContext): readonly Operation[] {
  return [...runOperations(context)];
}
