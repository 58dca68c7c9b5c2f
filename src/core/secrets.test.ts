import assert from "node:assert/strict";
import { test } from "node:test";
import { readSecrets } from "./secrets.ts";

const env: Readonly<Record<string, string>> = {
  TOKEN: "a-token",
  PIN: "123",
  SPACES: "  a ",
  ROWCALL_ENDPOINT_SECRET_ACCESS_KEY: "of the endpoint",
  AWS_SECRET_ACCESS_KEY: "of the account",
};
const read = (...secrets: string[]): ReturnType<typeof readSecrets> =>
  readSecrets({ agent_name: "asked", config: { secrets } }, (name) => env[name]);

test("reads what an agent names, and masks it", () => {
  const { values, masked, mask } = read("TOKEN");
  assert.deepEqual([values, masked, mask.text("it is a-token")], [{ TOKEN: "a-token" }, { TOKEN: "***" }, "it is ***"]);
  assert.equal(read().mask.text("it is a-token"), "it is a-token");
});

test("refuses a secret that cannot be masked, as it would be found everywhere", () => {
  for (const name of ["PIN", "SPACES"])
    assert.throws(() => read("TOKEN", name), {
      code: "AGENT_INVALID",
      message: `The secret ${name} of agent asked has fewer than 4 characters`,
    });
});

test("gives no agent the keys of Rowcall or of AWS", () => {
  for (const name of [
    "ROWCALL_ENDPOINT_SECRET_ACCESS_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "aws_session_token",
    "ROWCALL_MCP_TOKEN",
  ])
    assert.throws(() => read("TOKEN", name), { code: "AGENT_INVALID", message: new RegExp(`asks for ${name}, `) });
});
