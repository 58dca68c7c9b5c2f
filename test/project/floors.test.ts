import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, glob, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { places } from "../../scripts/floors.ts";

interface Diagnostic {
  readonly code?: string;
  readonly filename: string;
  readonly message: string;
  readonly help?: string;
}

interface Violation {
  readonly file: string;
  readonly code: string;
  readonly text: string;
  /** Words of the sentence that the linter must say. */
  readonly says: string;
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const restricted = "eslint(no-restricted-imports)";

/** A violation of one file that imports another. */
const forbidden = (file: string, specifier: string, says: string): Violation => ({
  file,
  code: restricted,
  text: `import { value } from "${specifier}";\nexport const copy: number = value;\n`,
  says,
});

const violations: readonly Violation[] = [
  forbidden("src/core/up.ts", "../table/value.ts", "core/ is the ground"),
  forbidden("src/core/up-types.ts", "../engines/local/value.ts", "core/ is the ground"),
  forbidden("src/core/cloud.ts", "../aws/value.ts", "core/ is the ground"),
  forbidden("src/core/io.ts", "node:fs/promises", "no module of Node"),
  forbidden("src/core/path.ts", "node:path", "no module of Node"),
  forbidden("src/aws/up.ts", "../stores/value.ts", "aws/ imports core/ only"),
  ...["table", "stores", "agents", "channels", "registry", "telemetry"].flatMap((folder, index, all) => [
    forbidden(`src/${folder}/sideways.ts`, `../${all[(index + 1) % all.length]}/value.ts`, `${folder}/ imports core/`),
    forbidden(`src/${folder}/up.ts`, "../attempt/value.ts", `${folder}/ imports core/`),
    forbidden(`src/${folder}/deep/up.ts`, "../../app/wire.ts", `${folder}/ imports core/`),
  ]),
  forbidden("src/table/map.ts", "node:fs", "Pure code"),
  forbidden("src/table/write.ts", "../stores/value.ts", "Rows are read"),
  forbidden("src/server/pages/io.ts", "node:http", "Pure code"),
  forbidden("src/server/pages/up.ts", "../../cli/value.ts", "Pages are functions"),
  forbidden("src/attempt/agents.ts", "../agents/value.ts", "attempt/ imports"),
  forbidden("src/attempt/up.ts", "../runs/value.ts", "attempt/ imports"),
  forbidden("src/runs/up.ts", "../engines/local/value.ts", "it knows no engine"),
  forbidden("src/runs/stores.ts", "../stores/value.ts", "it knows no engine"),
  forbidden("src/engines/local/sideways.ts", "../aws/value.ts", "An engine imports"),
  forbidden("src/engines/aws/sideways.ts", "../local/value.ts", "An engine imports"),
  forbidden("src/engines/worker/sideways.ts", "../local/value.ts", "An engine imports"),
  forbidden("src/engines/local/up.ts", "../../app/value.ts", "An engine imports"),
  forbidden("src/engines/local/stores.ts", "../../stores/value.ts", "An engine imports"),
  forbidden("src/engines/local/database.ts", "node:sqlite", "Only runs/sqlite.ts"),
  forbidden("src/cli/database.ts", "node:sqlite", "Only runs/sqlite.ts"),
  forbidden("src/app/up.ts", "../cli/value.ts", "knows no face"),
  forbidden("src/app/deep/up.ts", "../../server/value.ts", "knows no face"),
  forbidden("src/server/sideways.ts", "../cli/value.ts", "no other face"),
  forbidden("src/index.ts", "./cli/value.ts", "none of it"),
  forbidden("src/cli/front-door.ts", "../index.ts", "front door"),
  forbidden("src/agents/front-door.ts", "../index.ts", "agents/ imports core/"),
  forbidden("src/cli/outside.ts", "../../test/value.ts", "src/ stands alone"),
  forbidden("src/agents/browser/heavy.ts", "playwright-core", "await import()"),
  forbidden("src/stores/heavy.ts", "@aws-sdk/client-s3", "await import()"),
  forbidden("src/engines/local/telemetry.ts", "@opentelemetry/sdk-trace", "Only telemetry/ imports OpenTelemetry"),
  forbidden("src/engines/aws/deployed.ts", "../../../infra/value.ts", "src/ stands alone"),
  forbidden("infra/functions.ts", "../src/cli/value.ts", "infra/ imports core/"),
  forbidden("infra/engine.ts", "../src/engines/local/value.ts", "infra/ imports core/"),
  forbidden("infra/shared.ts", "../src/runs/value.ts", "infra/ imports core/"),
  forbidden("infra/tested.ts", "../test/value.ts", "no tests and no tools"),
  {
    file: "src/core/lazy.ts",
    code: restricted,
    text: `export const load = async (): Promise<unknown> => await import("../table/value.ts");\n`,
    says: "core/ is the ground",
  },
  {
    file: "src/core/inline-type.ts",
    code: "typescript(consistent-type-imports)",
    text: `export type Inline = import("./value.ts").Value;\n`,
    says: "",
  },
  {
    file: "src/core/clock.ts",
    code: "eslint(no-restricted-globals)",
    text: "export const today = (): string => new Date().toISOString();\n",
    says: "both are arguments",
  },
  {
    file: "src/core/environment.ts",
    code: "eslint(no-restricted-globals)",
    text: "export const home = (): string | undefined => globalThis.process.env.HOME;\n",
    says: "both are arguments",
  },
  {
    file: "src/table/parse.ts",
    code: "eslint(no-restricted-properties)",
    text: "export const now = (): number => Date.now();\n",
    says: "clock is an argument",
  },
  {
    file: "src/agents/circle-a.ts",
    code: "import(no-cycle)",
    text: `import type { B } from "./circle-b.ts";\nexport interface A {\n  readonly b: B;\n}\n`,
    says: "",
  },
  {
    file: "src/agents/circle-b.ts",
    code: "import(no-cycle)",
    text: `import type { A } from "./circle-a.ts";\nexport interface B {\n  readonly a?: A;\n}\n`,
    says: "",
  },
  {
    file: "src/agents/floating.ts",
    code: "typescript(no-floating-promises)",
    text: "export function leave(work: () => Promise<void>): void {\n  work();\n}\n",
    says: "",
  },
];

const allowed: Readonly<Record<string, string>> = {
  "src/agents/browser/lazy.ts": `import type { Browser } from "playwright-core";\nexport const open = async (): Promise<Browser> => await (await import("playwright-core")).chromium.launch();\n`,
  "src/telemetry/spans.ts": `import { SpanStatusCode } from "@opentelemetry/api";\nexport const copy: number = SpanStatusCode.OK;\n`,
  "src/runs/sqlite.ts": `import { DatabaseSync } from "node:sqlite";\nexport const open = (): DatabaseSync => new DatabaseSync(":memory:");\n`,
  "src/aws/down.ts": `import { value } from "../core/value.ts";\nexport const copy: number = value;\n`,
  "src/stores/down.ts": `import { value } from "../aws/value.ts";\nexport const copy: number = value;\n`,
  "src/runs/down.ts": `import { value } from "../attempt/value.ts";\nimport { value as table } from "../table/value.ts";\nexport const sum: number = value + table;\n`,
  "src/engines/local/down.ts": `import { value } from "../../aws/value.ts";\nimport { value as runs } from "../../runs/value.ts";\nexport const sum: number = value + runs;\n`,
  "src/app/down.ts": `import { value } from "../engines/aws/value.ts";\nimport { value as store } from "../stores/value.ts";\nexport const sum: number = value + store;\n`,
  "src/server/down.ts": `import { value } from "./pages/value.ts";\nimport { value as app } from "../app/value.ts";\nexport const sum: number = value + app;\n`,
  "src/core/registry.test.ts": `import { value } from "../table/value.ts";\nimport { readFileSync } from "node:fs";\nexport const both: unknown = [value, readFileSync];\n`,
  "infra/down.ts": `import { value } from "../src/engines/aws/value.ts";\nexport const copy: number = value;\n`,
  "src/cli/down.ts": `import { value } from "../engines/local/value.ts";\nexport const copy: number = value;\n`,
};

/** Runs the linter and returns what it found, whatever its exit code. */
async function lint(cwd: string, types: "on" | "off"): Promise<readonly Diagnostic[]> {
  const run = promisify(execFile);
  const linter = join(root, "node_modules/oxlint/bin/oxlint");
  const output = await run(process.execPath, [linter, "--format", "json", "src", "infra"], {
    cwd,
    env: { ...process.env, LINT_TYPES: types },
    maxBuffer: 2 ** 26,
  }).catch((error: { readonly stdout: string }) => error);
  return (JSON.parse(output.stdout) as { readonly diagnostics: readonly Diagnostic[] }).diagnostics;
}

describe("in a copy with planted violations", () => {
  let planted: string;
  let found: readonly Diagnostic[];

  before(async () => {
    planted = await mkdtemp(join(tmpdir(), "rowcall-floors-"));
    for (const file of ["oxlint.config.ts", "scripts/floors.ts", "tsconfig.json", "package.json"]) {
      await cp(join(root, file), join(planted, file));
    }
    // Type-aware rules need the packages' types; the linter is told to look at src/ and infra/ only.
    await symlink(join(root, "node_modules"), join(planted, "node_modules"), "dir");
    const value = "export const value = 1;\nexport type Value = typeof value;\n";
    const targets = [...places, "server/pages"].map((place) => `src/${place}/value.ts`);
    const files = new Map(targets.map((target) => [target, value]));
    for (const [file, text] of Object.entries(allowed)) files.set(file, text);
    for (const { file, text } of violations) files.set(file, text);
    for (const [file, text] of files) {
      await mkdir(dirname(join(planted, file)), { recursive: true });
      await writeFile(join(planted, file), text);
    }
    found = await lint(planted, "on");
  });

  after(async () => {
    await rm(planted, { recursive: true, force: true });
  });

  for (const { file, code, says, text } of violations) {
    test(`the linter catches ${file}: ${text.split("\n", 1)[0]}`, () => {
      const hits = found.filter((one) => one.filename === file && one.code === code);
      assert.ok(
        hits.some((one) => `${one.message} ${one.help ?? ""}`.includes(says)),
        `found instead: ${JSON.stringify(found.filter((one) => one.filename === file))}`,
      );
    });
  }

  test("the linter lets through what the floors allow", () => {
    const wrong = found.filter((one) => Object.hasOwn(allowed, one.filename) && isFloorRule(one));
    assert.deepEqual(wrong, []);
  });
});

test("the source keeps to the floors", async () => {
  assert.deepEqual((await lint(root, "off")).filter(isFloorRule), []);
});

test("every folder of the source has a floor", async () => {
  const entries = await readdir(join(root, "src"));
  const known = new Set(places.map((place) => place.split("/")[0]));
  const unknown = entries.filter((entry) => !known.has(entry.replace(/(?:\.test)?\.ts$/, "")));
  assert.deepEqual(unknown, [], "add it to scripts/floors.ts");
});

test("the picture in ARCHITECTURE.md has every room, on the floor that its imports say", async () => {
  const picture = /^```\n(8 .*?)^```$/ms.exec(await readFile(join(root, "ARCHITECTURE.md"), "utf8"))?.[1] ?? "";
  const floorOf = new Map<string, number>();
  for (const [, floor, rooms = ""] of picture.matchAll(/^(\d) {2}((?:\S+ {1,2})*\S+)/gm))
    for (const room of rooms.trim().split(/ +/)) floorOf.set(room.replace(/\/$|\.ts$/, ""), Number(floor));
  assert.deepEqual([...floorOf.keys()].toSorted(), places.toSorted());
  const roomOf = (path: string): string =>
    places.find((place) => path.startsWith(`${place}/`)) ?? path.replace(/\.ts$/, "");
  const upwards: string[] = [];
  for await (const file of glob("**/*.ts", { cwd: join(root, "src"), exclude: ["**/*.test.ts"] })) {
    const room = roomOf(file);
    for (const [, path = ""] of (await readFile(join(root, "src", file), "utf8")).matchAll(
      /(?:from|import\() ?"(\.[^"]+)"/g,
    )) {
      const other = roomOf(join(dirname(file), path));
      const [from = 0, to = 9] = [floorOf.get(room), floorOf.get(other)];
      // Faces share what they have in common; the front door re-exports the client of one.
      if (room !== other && to >= from && from !== 8) upwards.push(`${file} -> ${path}`);
    }
  }
  assert.deepEqual(upwards, []);
});

function isFloorRule({ code }: Diagnostic): boolean {
  return code !== undefined && /no-restricted-|no-cycle|consistent-type-imports/.test(code);
}
