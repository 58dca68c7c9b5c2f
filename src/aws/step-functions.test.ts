import assert from "node:assert/strict";
import { test } from "node:test";
import { openTestEndpoint, testKeys } from "../../test/fakes/endpoint.ts";
import { createWorkspace } from "../../test/fakes/workspace.ts";
import { openStepFunctions } from "./step-functions.ts";

test("takes no other ARN for that of a state machine", async () => {
  for (const arn of [
    "batch",
    "arn:aws:states:eu-west-1:123456789012:activity:a",
    "arn:aws:sns:eu-west-1:123456789012:t",
  ])
    await assert.rejects(openStepFunctions({ endpoints: {} }, arn), { code: "USAGE_INVALID", hint: /stateMachine:/ });
});

test("starts and describes executions, and tells a taken name from a failure", async () => {
  const workspace = await createWorkspace(1);
  const endpoint = await openTestEndpoint(workspace);
  const aws = { region: "eu-west-1", credentials: testKeys, endpoints: { SFN: endpoint.url } };
  const sfn = await openStepFunctions(aws, `${endpoint.prefix}stateMachine:doubler`);
  const lost = await openStepFunctions(aws, `${endpoint.prefix}stateMachine:nobody`);
  try {
    const begun = await sfn.start("one", '{"n":1}');
    assert.equal(begun?.arn, `${endpoint.prefix}execution:doubler:one`);
    while ((await sfn.describe(begun.arn))?.status === "RUNNING") await new Promise((resolve) => setImmediate(resolve));
    const { status, output, input } = (await sfn.describe(begun.arn)) ?? {};
    assert.deepEqual([status, input, output], ["SUCCEEDED", '{"n":1}', '{"structured_output":{"double":2}}']);
    assert.equal(await sfn.start("one", '{"n":2}'), undefined);
    assert.equal(await sfn.redrive(begun.arn), false);
    assert.equal(await sfn.describe(`${endpoint.prefix}execution:doubler:none`), undefined);
    const pages = await Array.fromAsync(sfn.list());
    assert.deepEqual(
      pages.flat().map(({ name }) => name),
      ["one"],
    );
    await assert.rejects(lost.start("one", "{}"), { code: "AWS_DENIED", message: /start the state machine nobody/ });
  } finally {
    sfn.close();
    lost.close();
    await endpoint.close();
    await workspace.remove();
  }
});
