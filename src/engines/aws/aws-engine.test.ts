import { after } from "node:test";
import { describeEngine } from "../../../test/contracts/engine-contract.ts";
import { openAwsHarness, startAwsPlace, type AwsPlace } from "../../../test/fakes/aws-engine-harness.ts";

let started: Promise<AwsPlace> | undefined;
const place = (): Promise<AwsPlace> => (started ??= startAwsPlace());
after(async () => (await started)?.close());

describeEngine("aws", async (invoke) => openAwsHarness(await place(), invoke), {
  runsHere: false,
  keepsAttempts: false,
  staysTheSameRun: false,
  tellsItself: false,
});
