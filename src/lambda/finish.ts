import { finishRun, type FinishEvent } from "../engines/aws/finish.ts";
import type { FunctionSetup } from "../engines/aws/function-setup.ts";
import { byCode } from "./by-code.ts";
import { functionSetup } from "./function-setup.ts";
import { endOf, type RunEnd } from "./run-end.ts";

/** Writes a run's table and says how the execution ends. */
export const handler: (event: FinishEvent) => Promise<RunEnd> = byCode((event) => finish(functionSetup(), event));

/** The same, standing on what it is given. */
export async function finish(setup: FunctionSetup, event: FinishEvent): Promise<RunEnd> {
  return endOf(await finishRun(setup, event), setup.services.openChannel);
}
