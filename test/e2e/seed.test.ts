import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { startSite, type Site } from "../../examples/broadband/site/server.ts";

const pathOf = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

// The table of the original product's documentation, but for where the recording is, what the metadata holds, and the times.
const expected = `\
building_number,street,postcode,full_address,success,exchange,cabinet,downstream_mbps,upstream_mbps,availability,service_type,screenshot_url,metadata,_status,_timestamp,_execution_time_ms
23,High Street,SW1A 1AA,23 High Street London SW1A 1AA,true,KINGSLAND GREEN,Cabinet 9,80,20,true,FTTC,URL,{...},SUCCESS,TIME,MS
1,Church View,DN12 1RH,,true,DONCASTER CENTRAL,Cabinet 15,67,19,true,FTTC,URL,{...},SUCCESS,TIME,MS
45A,Park Road,E8 4LX,,true,HACKNEY,Cabinet 23,300,50,true,FTTP,URL,{...},SUCCESS,TIME,MS
`;

function mask(csv: string, recordings: string): string {
  return csv
    .replaceAll(new RegExp(`${recordings}/[\\w-]+/\\d-1/final\\.jpg`, "g"), "URL")
    .replaceAll(/"\{""act_id"":""[\w-]+"",""session_id"":""[\w-]+"",""num_steps"":\d+\}"/g, "{...}")
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,\d+$/gm, "TIME,MS");
}

describe("the original product's batch and table, unchanged", () => {
  let site: Site;
  let folder: string;
  before(async () => {
    site = await startSite();
    folder = await mkdtemp(join(tmpdir(), "rowcall seed "));
    for (const name of ["broadband_batch_config.json", "test_addresses.csv"])
      await copyFile(pathOf(`examples/broadband/${name}`), join(folder, name));
  });
  after(async () => {
    await site.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function run(source: string): Promise<{ stdout: string; stderr: string }> {
    const config = JSON.stringify({ variables: { checker_url: `${site.url}/public/` } });
    const args = ["run", source, "--agent-config", config];
    return promisify(execFile)(process.execPath, [pathOf("src/cli/main.ts"), ...args], {
      cwd: folder,
      timeout: 570_000,
      killSignal: "SIGKILL",
    });
  }

  async function assertOutput(output: string, printed: string): Promise<void> {
    const [name = "", ...others] = await readdir(join(folder, output));
    assert.match(name, /^result-\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d\.csv$/);
    assert.deepEqual(others, []);
    assert.ok(printed.endsWith(`/${output}/${name}\n`), printed);
    const recordings = pathToFileURL(join(folder, ".rowcall", "recordings")).href;
    assert.equal(mask(await readFile(join(folder, output, name), "utf8"), recordings), expected);
  }

  it("runs by an execution input of paths on the command line", async () => {
    const input = {
      config_s3_uri: "broadband_batch_config.json",
      input_csv_s3_uri: "test_addresses.csv",
      output_s3_prefix: "outputs/paths/",
    };
    const { stdout, stderr } = await run(JSON.stringify(input));
    assert.match(stderr, /^3 rows: 3 succeeded, 0 failed$/m);
    await assertOutput("outputs/paths", stdout);
  });

  it("runs by an execution input of file: URIs in a file", async () => {
    const uriOf = (name: string): string => pathToFileURL(join(folder, name)).href;
    const input = {
      config_s3_uri: uriOf("broadband_batch_config.json"),
      input_csv_s3_uri: uriOf("test_addresses.csv"),
      output_s3_prefix: uriOf("outputs/uris/"),
    };
    await writeFile(join(folder, "execution.json"), JSON.stringify(input));
    const { stdout } = await run("execution.json");
    await assertOutput("outputs/uris", stdout);
  });
});
