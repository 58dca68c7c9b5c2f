import { finishRun, type FinishEvent } from "../engines/aws/finish.ts";
import { byCode } from "./by-code.ts";
import { functionSetup } from "./function-setup.ts";
import { endOf, type RunEnd } from "./run-end.ts";

/** Writes a run's table and says how the execution ends. */
export const handler: (event: FinishEvent) => Promise<RunEnd> = byCode(async (event) => {
  const setup = functionSetup();
  return endOf(await finishRun(setup, event), setup.services.openChannel);
});
