import assert from "node:assert/strict";
import { describe, it, test } from "node:test";
import { createTestIo } from "../../test/fakes/io.ts";
import { useWorkspace, type Workspace } from "../../test/fakes/workspace.ts";
import { allCommands } from "../../test/project/cli-commands.ts";
import { effectOf } from "./option-use.ts";
import { runCli } from "./run-cli.ts";

/** A line that gives an option in vain, after the command's own line, and what is said of it. */
type Refused = readonly [args: string, said: RegExp];

const always = "always";
const table = /does nothing with --table/;
const replaced = (flag: string): readonly Refused[] => [
  [`${flag} --output -`, /--force does nothing when the table goes to standard output/],
  [`${flag} --output out/`, /--force does nothing when the output is the prefix out\//],
];
const watched = {
  "--json": always,
  "--quiet": always,
  "--no-progress": [["--no-progress --quiet", /--no-progress does nothing with --quiet/]],
} as const;
const pages = (args: string, flag: string): Refused => [
  `--aws-endpoint ${args}`,
  new RegExp(`${flag} does nothing with --aws-endpoint: it is for the pages`),
];

/** The own options of every command: always of effect, or where they are refused. */
const own: Readonly<Record<string, Readonly<Record<string, typeof always | readonly Refused[]>>>> = {
  plan: {
    "--input": [["--table --input x", table]],
    "--output": [["--table --output x.csv", table]],
    "--max-concurrency": always,
    "--timeout-seconds": [["--table --timeout-seconds 1", table]],
    "--agent-config": [["--table --agent-config {}", table]],
    "--recording": [["--table --recording none", table]],
    "--rows": [["--table --rows 1", table]],
    "--limit": [["--table --limit 1", table]],
    "--force": [["--table --force", table], ...replaced("batch.json --force")],
    "--sample": [["--table --sample 1", table]],
    "--seconds-per-row": always,
    "--cost-per-row": always,
    "--probe": [
      ["--table --probe", table],
      ["batch.json --probe --sample 0", /--probe does nothing with --sample 0/],
    ],
    "--table": always,
    "--browser-host": [
      ["batch.json --browser-host lambda", /--browser-host does nothing when batches run on this machine/],
    ],
    "--json": always,
  },
  "try batch.json": {
    "--input": [["--set n=1 --input rows.csv", /--input does nothing with --set and without --row/]],
    "--timeout-seconds": always,
    "--agent-config": always,
    "--recording": always,
    "--row": always,
    "--set": always,
    "--json": always,
  },
  "run batch.json": {
    "--input": always,
    "--output": always,
    "--max-concurrency": always,
    "--timeout-seconds": always,
    "--agent-config": always,
    "--recording": always,
    "--name": always,
    "--rows": always,
    "--limit": always,
    "--dispatch": [["--dispatch activity --engine aws", /--dispatch does nothing when batches run on AWS/]],
    "--force": replaced("--force"),
    ...watched,
  },
  "resume last": watched,
  // --failed is one way to say which rows; the other options narrow it.
  "rerun last": { "--failed": always, "--code": always, "--rows": always, ...watched },
  "stop last": { "--json": always },
  "update last": {
    "--max-concurrency": always,
    "--tolerated-failure-percentage": always,
    "--tolerated-failure-count": always,
    "--json": always,
  },
  "pause last": { "--json": always },
  "serve --port 0": {
    "--port": always,
    "--host": always,
    "--tls-cert": [["--tls-cert a.pem", /--tls-cert does nothing without --tls-key/]],
    "--tls-key": [["--aws-endpoint --tls-key a.pem", /--tls-key does nothing without --tls-cert/]],
    "--behind-proxy": [pages("--behind-proxy https://rows.example", "--behind-proxy")],
    "--proxy-address": [
      pages("--proxy-address 10.0.0.7", "--proxy-address"),
      ["--proxy-address 10.0.0.7", /--proxy-address does nothing without --behind-proxy/],
    ],
    "--max-upload": [pages("--max-upload 1", "--max-upload")],
    "--max-uploads": [pages("--max-uploads 1", "--max-uploads")],
    "--keep-days": [pages("--keep-days 1", "--keep-days")],
    "--open": [pages("--open", "--open"), ["--open --json", /--open does nothing with --json/]],
    "--aws-endpoint": always,
    "--stage": [["--stage dev", /--stage does nothing without --aws-endpoint/]],
    "--account-id": [["--account-id 123456789012", /--account-id does nothing without --aws-endpoint/]],
    "--allow-module": always,
    "--json": always,
  },
  "worker --activity-arn arn:aws:states:eu-west-1:123456789012:activity:x": {
    "--activity-arn": always,
    "--concurrency": always,
    "--name": always,
    "--max-tasks": always,
    "--idle-exit": always,
    "--allow-module": always,
    "--json": always,
    "--quiet": [["--quiet --json", /--quiet does nothing with --json/]],
  },
  mcp: {
    "--http": always,
    "--port": [["--port 0", /--port does nothing without --http\nhint: Leave --port out, or add --http\./]],
    "--allow": always,
    "--allow-batch": always,
  },
  runs: { "--limit": always, "--json": always },
  "show last": { "--json": always },
  "rows last": {
    "--status": always,
    "--code": [["--code TIMEOUT --status pending", /--code does nothing with --status pending: only failed rows/]],
    "--limit": always,
    "--json": always,
  },
  "export last": {
    "--output": always,
    "--format": always,
    "--mapping": always,
    "--force": [["--force", /--force does nothing when the table goes to standard output/], ...replaced("--force")],
    "--json": always,
  },
  "notify last": { "--all": always, "--json": always },
  delete: {
    "--older-than": [["--older-than 1d --engine aws", /--older-than does nothing when .* on AWS: .*runsExpiryDays/]],
    "--json": always,
  },
  ...Object.fromEntries(
    ["agents", "templates"].flatMap((catalog) => [
      ...["list", "show x", "validate x", "publish x", "deprecate x@1.0.0", "archive x@1.0.0", "activate x@1.0.0"].map(
        (line) => [`${catalog} ${line}`, { "--json": always }] as const,
      ),
      [`${catalog} copy --to x`, { "--to": always, "--json": always }],
    ]),
  ),
  "token rotate": { "--json": always },
  sandbox: { "--exec": always, "--concurrency": always, "--allow-module": always },
  doctor: { "--json": always },
};

type Where = "always" | "never" | "on AWS" | "here" | "of a batch" | "of a registry";
const groups = {
  engine: ["--engine local"],
  processor: ["--state-machine-arn x", "--runs s3://bucket/runs/"],
  data: ["--data-dir data"],
  registry: ["--registry registry"],
  aws: ["--profile x", "--region eu-west-1", "--endpoint-url http://127.0.0.1:9"],
  browser: ["--chromium x", "--require-sandbox"],
} as const;
const inOrder = Object.keys(groups) as (keyof typeof groups)[];

/** The options of every command at each command, by groups: engine, processor, data, registry, aws, browser. */
const ofEvery: Readonly<Record<string, readonly Where[]>> = {
  plan: [always, "never", "of a batch", "of a batch", "of a batch", "of a batch"],
  try: ["never", "never", always, always, always, always],
  run: [always, "on AWS", always, always, always, "here"],
  resume: [always, "on AWS", always, "here", always, "here"],
  rerun: [always, "on AWS", always, "here", always, "here"],
  stop: [always, "on AWS", always, "never", "on AWS", "never"],
  update: [always, "on AWS", always, "never", "on AWS", "never"],
  pause: [always, "on AWS", always, "never", "on AWS", "never"],
  serve: ["never", "never", always, always, always, always],
  worker: ["never", "never", always, always, always, always],
  mcp: [always, "on AWS", always, always, always, always],
  runs: [always, "on AWS", always, "never", "on AWS", "never"],
  show: [always, "on AWS", always, "never", always, "never"],
  rows: [always, "on AWS", always, "never", "on AWS", "never"],
  export: [always, "on AWS", always, "never", always, "never"],
  notify: [always, "on AWS", always, "never", always, "never"],
  delete: [always, "on AWS", always, "never", always, "never"],
  agents: ["never", "never", "never", "of a registry", always, "never"],
  templates: ["never", "never", "never", "of a registry", always, "never"],
  token: ["never", "never", always, "never", "never", "never"],
  sandbox: ["never", "never", always, "never", "never", "never"],
  doctor: [always, "on AWS", always, always, always, always],
};

const refusals: Readonly<Record<Where, (line: string, given: string) => Refused | undefined>> = {
  always: () => undefined,
  never: (_line, given) => [given, /does nothing at `rowcall \w+`\nhint: Leave \S+ out, or set \S+ for all commands/],
  "on AWS": (_line, given) => [given, /does nothing when batches run on this machine\nhint: .* add --engine aws/],
  here: (_line, given) => [`${given} --engine aws`, /does nothing when batches run on AWS/],
  "of a batch": (_line, given) => [`--table ${given}`, table],
  "of a registry": (line, given) => (line.includes("validate") ? [given, /does nothing at `validate`/] : undefined),
};

const pathOf = (line: string): string =>
  ["rowcall", ...line.split(" ").slice(0, /^(agents|templates|token) /.test(line) ? 2 : 1)].join(" ");
const commands = await allCommands();

test("every option of every command has an effect wherever it is given, or a condition that is declared", () => {
  const [program] = commands.values();
  const decided = Object.entries(own).map(([line, options]) => [pathOf(line), Object.keys(options).toSorted()]);
  const defined = [...commands]
    .filter(([, command]) => command !== program && (command.options.length > 0 || command.commands.length === 0))
    .map(([path, { options }]) => [path, options.map(({ long }) => long ?? "").toSorted()] as const);
  assert.deepEqual(Object.fromEntries(decided), Object.fromEntries(defined));
  const grouped = Object.values(groups).flatMap((lines) => lines.map((line) => line.split(" ")[0] ?? ""));
  const global = program?.options.map(({ long }) => long ?? "").filter((flag) => flag !== "--version") ?? [];
  assert.deepEqual(grouped.toSorted(), global.toSorted());

  for (const [line, options] of Object.entries(own)) {
    const command = commands.get(pathOf(line));
    for (const option of command?.options ?? []) {
      const effect = effectOf(command!, option);
      const isAlways = !("why" in effect) && effect.length === 0;
      assert.equal(isAlways, options[option.long ?? ""] === always, `${line} ${option.long}`);
    }
    for (const [i, group] of inOrder.entries()) {
      for (const given of groups[group]) {
        const option = program!.options.find(({ long }) => long === given.split(" ")[0])!;
        const effect = effectOf(command!, option);
        const found = "why" in effect ? "never" : effect.length === 0 ? "always" : "conditional";
        const where = ofEvery[pathOf(line).split(" ")[1] ?? ""]?.[i] ?? "";
        assert.equal(found, ["never", "always"].includes(where) ? where : "conditional", `${line} ${given}`);
      }
    }
  }
});

describe("an option that does nothing where it is given", () => {
  let workspace: Workspace;
  useWorkspace(2, (made) => (workspace = made));

  const isRefused = async (line: string, [args, said]: Refused): Promise<void> => {
    const io = createTestIo({ workingDirectory: workspace.folder });
    workspace.onRow = () => assert.fail("a row was run");
    assert.equal(await runCli([...line.split(" "), ...args.split(" ")], io), 2, `${line} ${args}`);
    assert.match(io.err(), said, `${line} ${args}`);
    assert.match(io.err(), /hint"?: ?"?Leave /);
    assert.equal(io.out(), "");
  };

  for (const [line, options] of Object.entries(own)) {
    it(`is refused at rowcall ${line.split(" -")[0]}`, async () => {
      for (const refused of Object.values(options)
        .filter((found) => found !== always)
        .flat()) {
        await isRefused(line, refused);
      }
      for (const [i, group] of inOrder.entries()) {
        for (const given of groups[group]) {
          const where = ofEvery[line.split(" ")[0] ?? ""]?.[i] ?? "always";
          const refused = refusals[where](line, given);
          if (refused !== undefined) await isRefused(line, refused);
        }
      }
    });
  }

  it("is refused by what the batch says, too", async () => {
    await workspace.write("into.json", { agent: "doubler", input: "rows.csv", output: "out/" });
    await isRefused("run into.json", ["--force", /--force does nothing when the output is the prefix/]);
    await isRefused("plan into.json", ["--force", /--force does nothing when the output is the prefix/]);
    await workspace.write("away.json", {
      agent: "doubler",
      input: "rows.csv",
      output: "out.csv",
      execution_config: { dispatch: "activity" },
    });
    await isRefused("run away.json", [
      "--require-sandbox",
      /does nothing when workers make the attempts\nhint: .*worker/,
    ]);
    await isRefused("run batch.json --dispatch activity", ["--chromium x", /when workers make the attempts/]);
  });

  it("is listed with the others that do nothing", async () => {
    await isRefused("serve --port 0", ["--stage x --tls-key y", /--tls-key does nothing.*; --stage does nothing/]);
  });

  it("is not in the help of a command that has no use for it", async () => {
    const help = async (...args: readonly string[]): Promise<string> => {
      const io = createTestIo();
      assert.equal(await runCli([...args, "--help"], io), 0);
      return io.out();
    };
    assert.doesNotMatch(await help("runs"), /--registry|--chromium/);
    assert.match(await help("run"), /--registry <address>[^]*--chromium/);
    assert.match(await help("runs"), /--data-dir/);
  });

  it("may be a variable, which is for all commands", async () => {
    const io = createTestIo({
      workingDirectory: workspace.folder,
      env: { ROWCALL_REGISTRY: "registry", ROWCALL_CHROMIUM: "x", AWS_REGION: "eu-west-1" },
    });
    assert.equal(await runCli(["runs", "--json"], io), 0, io.err());
  });
});
