import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { runCli } from "../../src/cli/run-cli.ts";
import type { ObjectStore } from "../../src/core/object-store.ts";
import { openStores } from "../../src/stores/open-store.ts";
import { createTestIo, type TestIo } from "../fakes/io.ts";
import { startTestS3, type TestS3 } from "../fakes/s3.ts";

const cli = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

// Keeps a picture of each row, and counts its calls where the test sees them.
const agentModule = `
export default async ({ n }, { artifacts }) => {
  globalThis.rowcallS3Calls = (globalThis.rowcallS3Calls ?? 0) + 1;
  const screenshot_url = await artifacts.save("final.png", Buffer.from("picture of " + n), "image/png");
  return { structured_output: { double: n * 2, screenshot_url } };
};
`;

const table = '\uFEFFn;text\r\n1;"a; ""b"""\r\n2;Straße\r\n';

describe("a batch in S3", () => {
  let s3: TestS3;
  let store: ObjectStore;
  let folder: string;
  let env: Record<string, string>;

  before(async () => {
    s3 = await startTestS3();
    await s3.createBucket("recordings");
    folder = await mkdtemp(join(tmpdir(), "rowcall s3 "));
    store = openStores({ baseDirectory: folder, aws: s3.aws });
    env = {
      AWS_ENDPOINT_URL_S3: s3.url,
      AWS_REGION: "eu-west-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
    };
    await mkdir(join(folder, "registry", "agents"), { recursive: true });
    await writeFile(join(folder, "agent.mjs"), agentModule);
    const agent = {
      agent_name: "doubler",
      version: "1.0.0",
      kind: "function",
      config: { module: pathToFileURL(join(folder, "agent.mjs")).href },
      structured_output: { enabled: true, output_fields: ["double", "screenshot_url"] },
    };
    await writeFile(join(folder, "registry", "agents", "doubler_v1.0.0.json"), JSON.stringify(agent));
    await put("s3://bucket/inputs/addresses 100%.csv", table);
  });
  beforeEach(() => {
    s3.intercept = () => false;
    Object.assign(globalThis, { rowcallS3Calls: 0 });
  });
  after(async () => {
    await s3.close();
    await rm(folder, { recursive: true, force: true });
  });

  const put = (uri: string, content: string | object): Promise<unknown> =>
    store.write(uri, Buffer.from(typeof content === "string" ? content : JSON.stringify(content)));
  const read = async (uri: string): Promise<string> =>
    Buffer.concat(await Array.fromAsync(store.read(uri))).toString("utf8");
  const calls = (): number => (globalThis as unknown as { readonly rowcallS3Calls: number }).rowcallS3Calls;

  const batch = (over: object = {}): object => ({
    agent_name: "doubler",
    output_mapping: { structured_output_fields: ["double", "screenshot_url"], add_metadata: false },
    recording: { prefix: "s3://recordings/runs" },
    ...over,
  });

  async function rowcall(...args: string[]): Promise<{ readonly exitCode: number; readonly io: TestIo }> {
    const io = createTestIo({ env, workingDirectory: folder });
    return { exitCode: await runCli(args, io), io };
  }

  /** Holds an output to every byte, and the pictures that it names to their content. */
  async function assertOutput(uri: string, bucket = "recordings"): Promise<void> {
    const csv = await read(uri);
    const [recordings = ""] = new RegExp(`s3://${bucket}/runs/[^/]+/`).exec(csv) ?? [];
    assert.equal(
      csv,
      "\uFEFFn;text;double;screenshot_url\r\n" +
        `1;"a; ""b""";2;${recordings}0-1/final.png\r\n` +
        `2;Straße;4;${recordings}1-1/final.png\r\n`,
    );
    assert.equal(await read(`${recordings}0-1/final.png`), "picture of 1");
    assert.equal(await read(`${recordings}1-1/final.png`), "picture of 2");
  }

  it("runs from S3 to S3, paths in the batch file starting from its place", async () => {
    await put(
      "s3://bucket/configs/batch.json",
      batch({ input: "../inputs/addresses 100%.csv", output: "../outputs/a b/" }),
    );
    const { exitCode, io } = await rowcall("run", "s3://bucket/configs/batch.json");
    assert.equal(exitCode, 0, io.err());
    const uri = io.out().trimEnd();
    assert.match(uri, /^s3:\/\/bucket\/outputs\/a b\/result-[\d-]{19}\.csv$/);
    await assertOutput(uri);
    const left = await Array.fromAsync(store.list("s3://bucket/outputs/"));
    assert.deepEqual(
      left.map((found) => found.uri),
      [uri],
    );
    assert.deepEqual([...s3.openUploads], []);
  });

  it("runs by the original product's execution input, on the command line and in S3", async () => {
    await put("s3://bucket/configs/config.json", batch());
    const input = {
      config_s3_uri: "s3://bucket/configs/config.json",
      input_csv_s3_uri: "s3://bucket/inputs/addresses 100%.csv",
      output_s3_prefix: "s3://bucket/outputs/broadband/",
    };
    await put("s3://bucket/execution.json", input);
    for (const source of [JSON.stringify(input), "s3://bucket/execution.json"]) {
      const { exitCode, io } = await rowcall("run", source);
      assert.equal(exitCode, 0, io.err());
      await assertOutput(io.out().trimEnd());
    }
    assert.equal((await Array.fromAsync(store.list("s3://bucket/outputs/broadband/result-"))).length, 2);
  });

  it("writes a named object once, and again only when it is told to", async () => {
    await put("s3://bucket/configs/config.json", batch({ input: "../inputs/addresses 100%.csv" }));
    const args = ["run", "s3://bucket/configs/config.json", "--output", "s3://bucket/named.csv"];
    assert.equal((await rowcall(...args)).exitCode, 0);
    const again = await rowcall(...args);
    assert.equal(again.exitCode, 2);
    assert.match(again.io.err(), /s3:\/\/bucket\/named\.csv exists already[^]*--force/);
    assert.equal((await rowcall(...args, "--force")).exitCode, 0);
    await assertOutput("s3://bucket/named.csv");
  });

  it("runs under the least policy of the documentation", async () => {
    await s3.createBucket("my-bucket");
    await s3.createBucket("my-recordings");
    await put("s3://my-bucket/inputs/rows.csv", table);
    const places = {
      input: "../inputs/rows.csv",
      output: "../outputs/",
      recording: { prefix: "s3://my-recordings/runs" },
    };
    await put("s3://my-bucket/configs/batch.json", batch(places));
    const allows = await documentedPolicy();
    const denied = new Set<string>();
    s3.intercept = (request, response) => {
      const [action, resource] = actionOf(request);
      if (allows(action, resource)) return false;
      denied.add(action);
      response.writeHead(403).end(request.method === "HEAD" ? undefined : "<Error><Code>AccessDenied</Code></Error>");
      return true;
    };
    const outputs: string[] = [];
    for (let run = 0; run < 2; run += 1) {
      const { exitCode, io } = await rowcall("run", "s3://my-bucket/configs/batch.json");
      assert.equal(exitCode, 0, io.err());
      outputs.push(io.out().trimEnd());
    }
    assert.deepEqual([...denied].toSorted(), ["s3:DeleteObject", "s3:GetObject", "s3:ListBucket"]);
    s3.intercept = () => false;
    assert.deepEqual(
      (await Array.fromAsync(store.list("s3://my-bucket/outputs/"))).map(({ uri }) => uri),
      ["s3://my-bucket/outputs/.rowcall-probe", ...outputs],
    );
    for (const uri of outputs) await assertOutput(uri, "my-recordings");
  });

  it("is planned, every place looked at", async () => {
    await put("s3://bucket/configs/config.json", batch({ input: "../inputs/addresses 100%.csv" }));
    const { exitCode, io } = await rowcall(
      "plan",
      "s3://bucket/configs/config.json",
      "--output",
      "s3://bucket/outputs/",
    );
    assert.equal(exitCode, 0, io.err());
    assert.match(io.out(), /Files can be written under s3:\/\/bucket\/outputs\//);
    assert.equal(calls(), 0);
  });

  describe("with something missing", () => {
    async function assertRefused(args: readonly string[], message: RegExp, hint: RegExp): Promise<void> {
      const { exitCode, io } = await rowcall("run", ...args);
      assert.equal(exitCode, 2, io.err());
      assert.match(io.err(), message);
      assert.match(io.err(), hint);
      assert.equal(calls(), 0);
    }
    const input = ["--input", "s3://bucket/inputs/addresses 100%.csv"];
    const output = ["--output", "s3://bucket/outputs/"];
    before(() => put("s3://bucket/configs/config.json", batch()));

    it("refuses a bucket that is not there, before anything is spent", async () => {
      const config = "s3://bucket/configs/config.json";
      const told = [/there is no bucket nobodys/, /hint: Check the bucket's name/] as const;
      await assertRefused([config, ...input, "--output", "s3://nobodys/outputs/"], ...told);
      await assertRefused(
        [config, ...output, "--input", "s3://nobodys/addresses.csv"],
        /nobodys\/addresses\.csv/,
        told[1],
      );
      await assertRefused(["s3://nobodys/config.json", ...input, ...output], /nobodys\/config\.json/, told[1]);
      await put("s3://bucket/configs/nowhere.json", batch({ recording: { prefix: "s3://nobodys/runs" } }));
      await assertRefused(["s3://bucket/configs/nowhere.json", ...input, ...output], ...told);
    });

    it("refuses a config and an input that are not there, suggesting what is", async () => {
      await assertRefused(
        ["s3://bucket/configs/confg.json", ...input, ...output],
        /There is no batch file s3:\/\/bucket\/configs\/confg\.json/,
        /hint: Did you mean "s3:\/\/bucket\/configs\/config\.json"\?/,
      );
      await assertRefused(
        ["s3://bucket/configs/config.json", ...output, "--input", "s3://bucket/inputs/adresses 100%.csv"],
        /There is no input s3:\/\/bucket\/inputs\/adresses 100%\.csv/,
        /hint: Did you mean "s3:\/\/bucket\/inputs\/addresses 100%\.csv"\?/,
      );
    });

    it("asks for a region and for credentials", async () => {
      const bare = {
        HOME: folder,
        USERPROFILE: folder,
        AWS_EC2_METADATA_DISABLED: "true",
        AWS_ENDPOINT_URL_S3: s3.url,
      };
      const run = (more: object): Promise<unknown> =>
        promisify(execFile)(process.execPath, [cli, "run", "s3://bucket/configs/config.json", ...input, ...output], {
          cwd: folder,
          env: { ...bare, ...more },
          timeout: 570_000,
        });
      await assert.rejects(run({ AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" }), {
        code: 2,
        stderr: /Cannot read s3:\/\/bucket\/configs\/config\.json: no AWS region is set\nhint: Set --region/,
      });
      await assert.rejects(run({ AWS_REGION: "eu-west-1" }), {
        code: 2,
        stderr: /config\.json: there are no AWS credentials\nhint: Sign in/,
      });
    });
  });
});

type Allows = (action: string, resource: string) => boolean;

async function documentedPolicy(): Promise<Allows> {
  const page = await readFile(new URL("../../docs/stores.md", import.meta.url), "utf8");
  const [, json = ""] = /```json\n(.*?)```/s.exec(page) ?? [];
  const { Statement: statements } = JSON.parse(json) as {
    readonly Statement: readonly { readonly Action: readonly string[]; readonly Resource: readonly string[] }[];
  };
  const matches = (pattern: string, resource: string): boolean =>
    pattern.endsWith("*") ? resource.startsWith(pattern.slice(0, -1)) : resource === pattern;
  return (action, resource) =>
    statements.some(
      ({ Action, Resource }) => Action.includes(action) && Resource.some((pattern) => matches(pattern, resource)),
    );
}

/** The permission that S3 asks for when it gets a request, and what it is asked for on. */
function actionOf({ method, url = "" }: IncomingMessage): readonly [action: string, resource: string] {
  const { pathname, searchParams } = new URL(url, "http://s3");
  const resource = `arn:aws:s3:::${decodeURIComponent(pathname).slice(1)}`;
  if (searchParams.has("list-type")) return ["s3:ListBucket", resource.replace(/\/$/, "")];
  if (method === "GET" || method === "HEAD") return ["s3:GetObject", resource];
  if (method !== "DELETE") return ["s3:PutObject", resource];
  return [searchParams.has("uploadId") ? "s3:AbortMultipartUpload" : "s3:DeleteObject", resource];
}
