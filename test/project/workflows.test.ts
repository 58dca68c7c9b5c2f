import assert from "node:assert/strict";
import { glob, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { releaseNotes } from "../../scripts/release-notes.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): Promise<string> => readFile(join(root, path), "utf8");
const there = async (path: string): Promise<boolean> =>
  (await stat(join(root, path)).catch(() => undefined)) !== undefined;

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

interface Job {
  readonly "runs-on"?: string;
  readonly uses?: string;
  readonly needs?: string;
  readonly steps?: readonly Step[];
  readonly permissions?: Readonly<Record<string, string>>;
  readonly "timeout-minutes"?: number;
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly unknown[]>> };
}

interface Workflow {
  readonly path: string;
  readonly text: string;
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly concurrency?: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const manifest = JSON.parse(await read("package.json")) as {
  readonly version: string;
  readonly engines: { readonly node: string };
  readonly scripts: Readonly<Record<string, string>>;
};
const paths = await Array.fromAsync(glob(".github/workflows/*", { cwd: root }));
const workflows = await Promise.all(
  paths.toSorted().map(async (path) => {
    const text = await read(path);
    return { ...(parse(text) as Omit<Workflow, "path" | "text">), path: path.replaceAll("\\", "/"), text };
  }),
);
const workflow = (name: string): Workflow => {
  const found = workflows.find(({ path }) => path === `.github/workflows/${name}`);
  assert.ok(found, `there is no workflow ${name}`);
  return found;
};
const jobs = workflows.flatMap(({ path, jobs: all }) =>
  Object.entries(all).map(([name, job]) => ({ ...job, name: `${path}: ${name}`, steps: job.steps ?? [] })),
);
const steps = jobs.flatMap(({ name, steps: all }) => all.map((step) => ({ ...step, name })));
const commandsOf = (job: Job | undefined): string => (job?.steps ?? []).map(({ run }) => run ?? "").join("\n");

test("every action is pinned to a commit, with its version beside it", () => {
  const used = workflows.flatMap(({ path, text }) =>
    [...text.matchAll(/^\s*(?:- )?uses: (.+)$/gm)].map(([, action = ""]) => ({ path, action })),
  );
  assert.equal(used.length, steps.filter(({ uses }) => uses).length + jobs.filter(({ uses }) => uses).length);
  assert.notEqual(used.length, 0);
  for (const { path, action } of used) {
    // What lies in the repository is of the same commit as the workflow.
    if (action.startsWith("./")) continue;
    assert.match(action, /^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/, path);
  }
});

test("an action has one version in all workflows", () => {
  const versions = Map.groupBy(new Set(steps.flatMap(({ uses }) => uses ?? [])), (uses) => uses.split("@")[0]);
  assert.notEqual(versions.size, 0);
  for (const [action, found] of versions) assert.equal(found.length, 1, action);
});

test("what a workflow may do is said, and what only some jobs need is given to them alone", () => {
  assert.notEqual(workflows.length, 0);
  for (const { path, permissions, concurrency } of workflows) {
    assert.ok(permissions, `${path} says nothing of permissions`);
    assert.deepEqual(
      Object.values(permissions).filter((right) => right !== "read"),
      [],
      path,
    );
    assert.ok(concurrency, `${path} says nothing of concurrency`);
  }
  // Code of the project and its dependencies never runs where something may be written.
  for (const { name, permissions = {}, steps: all } of jobs) {
    if (!Object.values(permissions).includes("write")) continue;
    const foreign = all.filter(
      ({ uses, run }) => uses?.startsWith("actions/checkout") || /npm (?:ci|run|install)/.test(run ?? ""),
    );
    assert.deepEqual(foreign, [], name);
  }
});

test("a checkout leaves no credentials behind", () => {
  const checkouts = steps.filter(({ uses }) => uses?.startsWith("actions/checkout@"));
  assert.notEqual(checkouts.length, 0);
  for (const { name, with: settings } of checkouts) assert.equal(settings?.["persist-credentials"], false, name);
});

test("no command is put together from what others write", () => {
  assert.notEqual(steps.length, 0);
  for (const { name, run = "" } of steps) assert.doesNotMatch(run, /\$\{\{/, `${name}: hand it over in env`);
});

test("every job has a limit", () => {
  assert.notEqual(jobs.length, 0);
  for (const { name, uses, "timeout-minutes": limit } of jobs) {
    if (uses === undefined) assert.ok(limit !== undefined && limit <= 90, name);
  }
});

test("every script and file that a workflow runs is there", async () => {
  const text = steps.map(({ run }) => run ?? "").join("\n");
  const scripts = [...text.matchAll(/\bnpm run (?:--\S+ )*([\w:]+)/g)].map(([, script = ""]) => script);
  assert.ok(scripts.includes("check"));
  for (const script of scripts) assert.ok(Object.hasOwn(manifest.scripts, script), `npm run ${script}`);
  for (const { name, uses } of jobs) if (uses?.startsWith("./")) assert.ok(await there(uses), name);
});

test("the check runs on every system, with the oldest Node that is supported and newer ones", () => {
  const { check } = workflow("ci.yml").jobs;
  const { os = [], node = [] } = check?.strategy?.matrix ?? {};
  assert.deepEqual(
    os.map((label) => String(label).split("-")[0]),
    ["ubuntu", "macos", "windows"],
  );
  const [, oldest] = /^>=(\d+)$/.exec(manifest.engines.node) ?? [];
  assert.equal(Math.min(...node.map(Number)), Number(oldest));
  assert.ok(node.length > 1);
  assert.match(commandsOf(check), /^npm run check$/m);
});

// npm puts the folder of the installed packages' commands in front of the PATH, and `runtime/` is a package with the command `node`.
test("the check runs with the Node of its job, not with the one that a checkout brings along", () => {
  const { check } = workflow("ci.yml").jobs;
  assert.match(commandsOf(check), /^npm ci --workspace infra --include-workspace-root /m);
});

test("a release is checked first, has a bill of materials, and is published without a token", async () => {
  const { on, jobs: release, text } = workflow("release.yml");
  assert.deepEqual(Object.keys(on), ["push"]);
  assert.deepEqual(Object.keys(on["push"] as object), ["tags"]);
  assert.equal(release["check"]?.uses, "./.github/workflows/ci.yml");
  assert.equal(release["pack"]?.needs, "check");
  const packed = commandsOf(release["pack"]);
  assert.match(packed, /^npm pack --pack-destination release$/m);
  // Provenance is refused for a package that names another repository.
  assert.match(packed, /GITHUB_REPOSITORY"[^]*^npm pkg set repository\.type=git "repository\.url=.*^npm pack/ms);
  const [, bill = ""] = /^npm run --silent sbom > "release\/.*(\.cdx\.json)"$/m.exec(packed) ?? [];
  assert.notEqual(bill, "");
  assert.equal(release["publish"]?.needs, "pack");
  assert.deepEqual(release["publish"]?.permissions, { "id-token": "write" });
  assert.match(commandsOf(release["publish"]), /^npm publish \.\/release\/\S+\.tgz --provenance --access public$/m);
  assert.doesNotMatch(text, /secrets\.|NODE_AUTH_TOKEN/);
  assert.equal(release["release"]?.needs, "publish");
  assert.ok(commandsOf(release["release"]).includes(`release/*${bill}`));
});

test("the changelog says what is new in the version of the package", async () => {
  assert.match(await releaseNotes(), /^- /m);
});

test("dependabot looks after packages and actions, and waits before it takes a new version", async () => {
  const { updates } = parse(await read(".github/dependabot.yml")) as {
    readonly updates: readonly (Readonly<Record<string, unknown>> & {
      readonly cooldown: Readonly<Record<string, number>>;
    })[];
  };
  assert.deepEqual(
    updates.map((one) => one["package-ecosystem"]),
    ["npm", "github-actions"],
  );
  for (const { groups, cooldown } of updates) {
    assert.ok(groups);
    assert.ok((cooldown["default-days"] ?? 0) >= 3);
  }
});

test("the form for bugs asks for what doctor says, and no form takes reports of vulnerabilities", async () => {
  const forms = await Array.fromAsync(glob(".github/ISSUE_TEMPLATE/*.yml", { cwd: root }));
  assert.equal(forms.length, 3);
  const bug = await read(".github/ISSUE_TEMPLATE/bug.yml");
  assert.match(bug, /rowcall doctor/);
  assert.match(bug, /\.\.\/security\/policy/);
  assert.ok(await there("SECURITY.md"));
  const { blank_issues_enabled: blank } = parse(await read(".github/ISSUE_TEMPLATE/config.yml")) as Readonly<
    Record<string, unknown>
  >;
  assert.equal(blank, false);
  for (const form of forms.filter((path) => !path.endsWith("config.yml"))) {
    const { name, description, body } = parse(await read(form)) as Readonly<Record<string, unknown>>;
    assert.ok(name && description, form);
    for (const { type, id, attributes } of body as readonly Readonly<Record<string, unknown>>[]) {
      assert.ok(["markdown", "textarea", "input", "checkboxes"].includes(String(type)), form);
      assert.ok(attributes && (type === "markdown") === (id === undefined), form);
    }
  }
});
