import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { describe, it } from "node:test";
import { ListActivitiesCommand } from "@aws-sdk/client-sfn";
import { isLoopbackHost } from "../security/access.ts";
import { rememberSignatures, verifySignature, type SignedRequest } from "./signature.ts";
import { openTestEndpoint, testKeys } from "../../../test/fakes/endpoint.ts";
import { createWorkspace } from "../../../test/fakes/workspace.ts";

const hour = 3600 * 1000;
const check = { keys: testKeys, region: "eu-west-1" };

describe("signed requests", () => {
  it("are answered when the signature is the keys' own, and refused with AWS's errors when it is not", async () => {
    const workspace = await createWorkspace(1);
    const endpoint = await openTestEndpoint(workspace, {});
    try {
      await endpoint.client.send(new ListActivitiesCommand({}));
      const refused = async (config: Parameters<typeof endpoint.connect>[0], error: object): Promise<void> =>
        assert.rejects(endpoint.connect(config).send(new ListActivitiesCommand({})), error);
      const { accessKeyId, secretAccessKey } = testKeys;
      await refused(
        { credentials: { accessKeyId, secretAccessKey: "another" } },
        { name: "InvalidSignatureException", message: /^The request signature we calculated does not match/ },
      );
      await refused(
        { credentials: { accessKeyId: "AKIAOTHER", secretAccessKey } },
        { name: "UnrecognizedClientException", message: "The security token included in the request is invalid." },
      );
      const answer = await fetch(endpoint.url, {
        method: "POST",
        headers: { "x-amz-target": "AWSStepFunctions.ListActivities" },
        body: "{}",
      });
      assert.equal(answer.status, 400);
      assert.match(
        await answer.text(),
        /MissingAuthenticationTokenException","message":"Missing Authentication Token"/,
      );
    } finally {
      await endpoint.close();
      await workspace.remove();
    }
  });

  // Signed by hand once, with the steps of AWS's documentation, for an independent check.
  const headers = {
    host: "states.example:8083",
    "x-amz-date": "20251018T053000Z",
    "x-amz-target": "AWSStepFunctions.ListActivities",
  };
  const now = Date.UTC(2025, 9, 18, 5, 30);
  const request = async (change: Record<string, string> = {}, body = "{}"): Promise<SignedRequest> => ({
    method: "POST",
    url: "http://states.example:8083/",
    headers: new Headers({ ...headers, authorization: await authorize(), ...change }),
    body: Buffer.from(body),
  });

  async function authorize(scope = "20251018/eu-west-1/states"): Promise<string> {
    const { createHmac } = await import("node:crypto");
    const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
    const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
    const names = "host;x-amz-date;x-amz-target";
    const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
    const canonical = ["POST", "/", "", lines.join(""), names, hash("{}")].join("\n");
    const text = ["AWS4-HMAC-SHA256", "20251018T053000Z", `${scope}/aws4_request`, hash(canonical)].join("\n");
    const key = [...scope.split("/"), "aws4_request"].reduce<string | Buffer>(
      (before, part) => hmac(before, part),
      `AWS4${testKeys.secretAccessKey}`,
    );
    const signature = hmac(key, text).toString("hex");
    return `AWS4-HMAC-SHA256 Credential=${testKeys.accessKeyId}/${scope}/aws4_request, SignedHeaders=${names}, Signature=${signature}`;
  }

  it("are accepted from any signer, with or without the hash of the body", async () => {
    await verifySignature(await request(), check, now);
    const own = createHash("sha256").update("{}").digest("hex");
    await verifySignature(await request({ "x-amz-content-sha256": own }), check, now);
  });

  it("are refused when anything signed was changed, or the hash is another body's", async () => {
    const other = createHash("sha256").update("[]").digest("hex");
    for (const changed of [
      await request({ "x-amz-target": "AWSStepFunctions.DeleteActivity" }),
      await request({}, '{"a":1}'),
      await request({ "x-amz-content-sha256": other }),
      await request({ "x-amz-content-sha256": other }, "[]"),
      await request({ host: "elsewhere:8083" }),
      await request({ authorization: (await authorize()).replace("20251018", "20251017") }),
    ]) {
      await assert.rejects(verifySignature(changed, check, now), { type: "InvalidSignatureException" });
    }
    const sns = await request({ authorization: await authorize("20251018/eu-west-1/sns") });
    await assert.rejects(verifySignature(sns, check, now), { message: /correct service: 'states'/ });
    const half = await request({ authorization: "AWS4-HMAC-SHA256 Credential=x" });
    await assert.rejects(verifySignature(half, check, now), { type: "IncompleteSignatureException" });
  });

  it("are refused when a header that AWS gives a meaning is not signed, and when they are for another region", async () => {
    const added = await request({ "x-amz-security-token": "another's" });
    await assert.rejects(verifySignature(added, check, now), { message: /not signed: x-amz-security-token/ });
    const elsewhere = await request({ authorization: await authorize("20251018/us-east-1/states") });
    await assert.rejects(verifySignature(elsewhere, check, now), { message: /region 'eu-west-1', not 'us-east-1'/ });
  });

  it("are taken once where others can read them on their way, as long as they would be taken again", async () => {
    const taken = rememberSignatures();
    const once = { ...check, taken };
    const broken = await request({}, '{"a":1}');
    await assert.rejects(verifySignature(broken, once, now));
    await verifySignature(await request(), once, now - hour / 4);
    for (const later of [now, now + hour / 4])
      await assert.rejects(verifySignature(await request(), once, later), { message: /was sent before/ });
    for (const name of ["a", "b"]) assert.equal(taken.take(name, now), true);
    assert.equal(taken.take("a", now + hour / 2), false);
    assert.equal(taken.take("a", now + hour / 2 + 1), true);
  });

  it("may be up to fifteen minutes old or early", async () => {
    const signed = await request();
    await verifySignature(signed, check, now + hour / 4);
    await verifySignature(signed, check, now - hour / 4);
    await assert.rejects(verifySignature(signed, check, now + hour / 4 + 1000), {
      message: "Signature expired: 20251018T053000Z is now earlier than 20251018T053001Z (20251018T054501Z - 15 min.)",
    });
    await assert.rejects(verifySignature(signed, check, now - hour / 4 - 1000), {
      message:
        "Signature not yet current: 20251018T053000Z is still later than 20251018T052959Z (20251018T051459Z + 15 min.)",
    });
  });
});

describe("where the endpoint can be reached", () => {
  it("takes keys everywhere: made at the first start, kept for this user alone, and the same with the next one", async () => {
    const workspace = await createWorkspace(1);
    try {
      const kept: unknown[] = [];
      for (const host of ["127.0.0.1", "0.0.0.0"]) {
        const endpoint = await openTestEndpoint(workspace, { host, keys: undefined });
        kept.push(endpoint.keys);
        const url = endpoint.url.replace("0.0.0.0", "127.0.0.1");
        const unsigned = await fetch(url, {
          method: "POST",
          headers: { "x-amz-target": "AWSStepFunctions.ListActivities" },
          body: "{}",
        });
        assert.match(await unsigned.text(), /MissingAuthenticationTokenException/);
        await endpoint.connect({ endpoint: url, credentials: endpoint.keys }).send(new ListActivitiesCommand({}));
        await endpoint.close();
      }
      assert.deepEqual(kept[0], kept[1]);
      assert.equal((await stat(workspace.at(".rowcall", "endpoint-keys"))).mode & 0o777, 0o600);
    } finally {
      await workspace.remove();
    }
  });

  it("knows this machine's own names", () => {
    for (const host of ["127.0.0.1", "127.0.0.1:8083", "LOCALHOST:1", "states.localhost", "[::1]:8083", "::1"])
      assert.ok(isLoopbackHost(host), host);
    for (const host of [
      "",
      "evil.example",
      "127.0.0.1.evil.example",
      "localhost.evil.example:80",
      "10.0.0.1",
      "0.0.0.0",
    ])
      assert.ok(!isLoopbackHost(host), host);
  });
});
