import { messageOf, RowcallError } from "../core/errors.ts";
import { joinUri } from "../core/uri.ts";
import { probeOutput } from "../runs/output-uri.ts";
import type { AwsRuns, Wiring } from "../app/wire.ts";
import type { ShownCheck } from "./check-lines.ts";

/** Checks that batches can be run in a batch processor on AWS from here: that it answers, and that its bucket takes uploads. */
export async function checkProcessor(
  { services, host }: Wiring,
  runs: () => AwsRuns,
): Promise<ShownCheck & { readonly id: "batch_processor" }> {
  const id = "batch_processor";
  const title = "The batch processor on AWS can be used";
  try {
    const { stateMachineArn, runsUri } = runs();
    const { openStepFunctions } = await import("../aws/open-step-functions.ts");
    const sfn = await openStepFunctions(host.aws, stateMachineArn);
    try {
      for await (const _page of sfn.list()) break;
    } finally {
      sfn.close();
    }
    const uploads = joinUri(runsUri.replace(/^(s3:\/\/[^/]+).*/, "$1"), "uploads", "");
    await probeOutput(services.store, uploads);
    return { id, title, status: "passed", detail: `${stateMachineArn} answers, and ${uploads} can be written` };
  } catch (thrown) {
    const hint = thrown instanceof RowcallError ? thrown.hint : undefined;
    return { id, title, status: "failed", detail: messageOf(thrown), ...(hint === undefined ? {} : { hint }) };
  }
}
