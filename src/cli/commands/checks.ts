import type { Problem } from "../../core/schema.ts";
import { colorsFor } from "../cli.ts";
import type { Io } from "../io.ts";
import { oneLine, count } from "../print/output.ts";
import { launchBrowser, sandboxHint } from "../../agents/browser/chromium/browser-process.ts";
import { listChromiumCandidates, type ChromiumBinary, type ChromiumCandidate } from "../../agents/browser/chromium/chromium.ts";
import { messageOf, RowcallError } from "../../core/errors.ts";
import type { AgentHost } from "../../agents/agent-host.ts";
import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { isOpenToOthers } from "../../runs/data-directory.ts";
import type { Serving } from "../serve/note-serving.ts";
import { joinUri } from "../../core/uri.ts";
import { probeOutput } from "../../runs/output-uri.ts";
import type { AwsRuns, Wiring } from "../../app/wire.ts";
import { openRegistry } from "../open-registry.ts";
import { validateAgent, validateTemplate } from "../../app/validate-documents.ts";

/** Something that was checked, as it is shown. */
export interface ShownCheck {
  readonly title: string;
  readonly status: "passed" | "failed" | "warning" | "skipped";
  readonly detail: string;
  readonly hint?: string;
  /** When several things are wrong: each, with its own hint. */
  readonly problems?: readonly Problem[];
}

const signs = { passed: "✓", failed: "✗", warning: "!", skipped: "-" } as const;

/** Checks as lines for standard output: a sign, the title, what was found, and hints for what is to be done. */
export function checkLines(io: Io, checks: readonly ShownCheck[]): readonly string[] {
  const colors = colorsFor(io, io.stdout);
  const paint = { passed: colors.green, failed: colors.red, warning: colors.yellow, skipped: colors.dim } as const;
  return checks.flatMap(({ title, status, detail, hint, problems }) => {
    const head = `${paint[status](signs[status])} ${title}`;
    const found = (text: string, advice: string | undefined): string[] => [
      `    ${oneLine(text)}`,
      ...(advice === undefined ? [] : [`    ${colors.cyan("hint:")} ${oneLine(advice)}`]),
    ];
    if (status === "passed") return [`${head}: ${colors.dim(oneLine(detail))}`];
    if (problems === undefined) return [head, ...found(detail, hint)];
    return [
      head,
      ...problems.flatMap((problem) => found([problem.path, problem.message].filter(Boolean).join(": "), problem.hint)),
    ];
  });
}

/** How many checks ended how: `12 passed, 1 failed, 2 skipped`. */
export function countChecks(checks: readonly Pick<ShownCheck, "status">[]): string {
  return (["passed", "failed", "warning", "skipped"] as const)
    .map((status) => ({
      many: checks.filter((check) => check.status === status).length,
      word: status === "warning" ? "to look at" : status,
    }))
    .filter(({ many }) => many > 0)
    .map(({ many, word }) => `${many} ${word}`)
    .join(", ");
}

/** One thing of the machine that was looked at. */
export interface MachineCheck extends ShownCheck {
  readonly id: "node" | "memory" | "disk" | "data_directory" | "working_directory" | "temporary_folder";
}

const megabyte = 1024 ** 2;

// Measured with headless shells: the first page takes about 450 MB, each further one about 150 MB.
const firstPageBytes = 450 * megabyte;
const pageBytes = 150 * megabyte;
const usualConcurrency = 10;

/** Checks the version of Node. */
export function checkNode(version: string): MachineCheck {
  const title = "Node is 24 or newer";
  if (Number.parseInt(version, 10) >= 24) return { id: "node", title, status: "passed", detail: version };
  return {
    id: "node",
    title,
    status: "failed",
    detail: `This is ${version}`,
    hint: "Install Node 24 from https://nodejs.org.",
  };
}

/**
 * Checks what browser agents may use: memory for pages, and processors.
 *
 * @param available - bytes that a process may still take
 */
export function checkMemory(available: number, processors: number): MachineCheck {
  const title = "There is memory for browsers";
  const pages = available < firstPageBytes ? 0 : 1 + Math.floor((available - firstPageBytes) / pageBytes);
  const detail =
    `${readable(available)} available: about ${pages} pages at once; ` +
    `${processors} processors: pages that only compute go no faster beyond ${processors * 2} at once`;
  if (pages === 0)
    return {
      id: "memory",
      title,
      status: "failed",
      detail,
      hint: "A browser takes about 450 MB. Close other programs, or take a larger machine.",
    };
  if (pages >= usualConcurrency) return { id: "memory", title, status: "passed", detail };
  return {
    id: "memory",
    title,
    status: "warning",
    detail,
    hint: `Run browser agents with \`rowcall run --max-concurrency ${pages}\` or less; function and http agents take far less.`,
  };
}

/**
 * Checks the space for journal, copies of inputs and recordings.
 *
 * @param free - bytes
 */
export function checkDisk(folder: string, free: number): MachineCheck {
  const title = "There is disk space for runs";
  const detail = `${readable(free)} free for ${folder}`;
  const hint =
    "Free some, or choose another --data-dir. A screenshot takes about 100 KB, a video a few MB, for each attempt.";
  if (free < 200 * megabyte) return { id: "disk", title, status: "failed", detail, hint };
  if (free < 2048 * megabyte) return { id: "disk", title, status: "warning", detail, hint };
  return { id: "disk", title, status: "passed", detail };
}

/** Checks that files can be written in a folder, with what `write` throws when they cannot. */
export async function checkWritable(
  id: "data_directory" | "working_directory" | "temporary_folder",
  folder: string,
  write: () => Promise<void>,
): Promise<MachineCheck> {
  const title = {
    data_directory: "The data directory can be written",
    working_directory: "The working directory can be written",
    temporary_folder: "The folder for temporary files can be written",
  }[id];
  try {
    await write();
    return { id, title, status: "passed", detail: folder };
  } catch (thrown) {
    const hint = {
      data_directory: "Choose another --data-dir.",
      working_directory:
        "Outputs that are named relative to it cannot be written; name another place: `rowcall run --output PLACE`.",
      temporary_folder: "Set TMPDIR to a folder that can be written.",
    }[id];
    const status = id === "working_directory" ? "warning" : "failed";
    return { id, title, status, detail: thrown instanceof Error ? thrown.message : String(thrown), hint };
  }
}

function readable(bytes: number): string {
  return bytes < 1024 * megabyte ? `${Math.floor(bytes / megabyte)} MB` : `${(bytes / megabyte / 1024).toFixed(1)} GB`;
}

/** The browser that was found, and every place that was looked at. */
export interface ChromiumCheck extends ShownCheck {
  readonly id: "chromium";
  readonly candidates: readonly ChromiumCandidate[];
}

const hint =
  "Browser agents need one: install Chrome or Chromium, or name one with --chromium or ROWCALL_CHROMIUM. Other agents do without.";

/** Whether pages run in Chromium's sandbox. */
export interface SandboxCheck extends ShownCheck {
  readonly id: "sandbox";
}

/** Checks that there is a Chromium that comes up and shows a page, and that it has its sandbox. */
export async function checkChromium({
  chromiumPath: explicitPath,
  requireSandbox,
}: Pick<AgentHost, "chromiumPath" | "requireSandbox">): Promise<readonly [ChromiumCheck, SandboxCheck]> {
  const candidates = await listChromiumCandidates({ explicitPath });
  const common = { id: "chromium", title: "Chromium comes up and shows a page", candidates } as const;
  const binary = candidates.find((candidate) => candidate.binary !== undefined)?.binary;
  const sandbox = { id: "sandbox", title: "Pages run in Chromium's sandbox" } as const;
  const fails = (detail: string): readonly [ChromiumCheck, SandboxCheck] => [
    { ...common, status: "failed", detail, hint },
    { ...sandbox, status: "skipped", detail: "There is no browser to look at" },
  ];
  if (binary === undefined) return fails(`None works. ${describe(candidates)}`);
  let unsandboxed: string | undefined;
  try {
    unsandboxed = await showPage(binary);
  } catch (thrown) {
    return fails(messageOf(thrown));
  }
  const detail = `${binary.version} (${binary.source}: ${binary.path}). ${describe(candidates)}`;
  return [
    { ...common, status: "passed", detail },
    unsandboxed === undefined
      ? { ...sandbox, status: "passed", detail: "It is on" }
      : {
          ...sandbox,
          status: requireSandbox === true ? "failed" : "warning",
          detail: `It is off: ${unsandboxed}. A site that breaks into the browser has this user's rights.`,
          hint: sandboxHint,
        },
  ];
}

/** Returns why the browser has no sandbox; undefined when it has. */
async function showPage(binary: ChromiumBinary): Promise<string | undefined> {
  const { browser, unsandboxed, end } = await launchBrowser(binary);
  try {
    const page = await browser.newPage();
    await page.goto("about:blank");
    return unsandboxed;
  } finally {
    await end();
  }
}

function describe(candidates: readonly ChromiumCandidate[]): string {
  return `Looked at: ${candidates.map(({ source, path, reason }) => `${source} ${path} (${reason ?? "works"})`).join("; ")}`;
}

/** A check of who else may get at what Rowcall keeps and does. */
export interface PrivacyCheck extends ShownCheck {
  readonly id: "file_modes" | "exposed_endpoints";
}

const mostFiles = 20_000;

/** Checks that the data directory and all in it are its user's alone. */
export async function checkFileModes(dataDirectory: string): Promise<PrivacyCheck> {
  const check = { id: "file_modes", title: "The data directory is yours alone" } as const;
  const me = process.getuid?.();
  if (me === undefined) return { ...check, status: "skipped", detail: "Files have no modes on this system" };
  const found = await stat(dataDirectory).catch(() => undefined);
  if (found === undefined) return { ...check, status: "passed", detail: `${dataDirectory} is not there yet` };
  if (found.uid !== me) {
    return {
      ...check,
      status: "warning",
      detail: `${dataDirectory} belongs to user ${found.uid}`,
      hint: "Whoever owns it can read and change all runs: choose another --data-dir, or give it to yourself with chown.",
    };
  }
  // Nobody can reach what is in a closed folder.
  if (!isOpenToOthers(found.mode)) return { ...check, status: "passed", detail: dataDirectory };
  const loose = await looseIn(dataDirectory);
  const [first] = loose;
  const files = first === undefined ? "nothing in it is" : `${count(loose.length, "file")} in it too, such as ${first}`;
  return {
    ...check,
    status: "warning",
    detail: `Others may enter ${dataDirectory}; ${files}`,
    hint: `chmod -R go= '${dataDirectory}'`,
  };
}

async function looseIn(directory: string): Promise<readonly string[]> {
  const loose: string[] = [];
  let seen = 0;
  for await (const entry of await opendir(directory, { recursive: true })) {
    if ((seen += 1) > mostFiles) break;
    const path = join(entry.parentPath, entry.name);
    const found = entry.isFile() ? await stat(path).catch(() => undefined) : undefined;
    if (found !== undefined && isOpenToOthers(found.mode)) loose.push(path);
  }
  return loose;
}

/** Checks what servers over the data directory other machines reach. */
export function checkExposure(serving: readonly Serving[]): PrivacyCheck {
  const check = { id: "exposed_endpoints", title: "No server is open to others in clear" } as const;
  const told = serving.map(({ what, url, isExposed, isInClear }) => {
    const who = isExposed ? "reached by other machines" : "reached by this machine alone";
    return `${what} ${url}, ${who}${isExposed && isInClear ? " in clear" : ""}`;
  });
  const detail = told.length === 0 ? "None is running" : told.join("; ");
  if (!serving.some(({ isExposed, isInClear }) => isExposed && isInClear))
    return { ...check, status: "passed", detail };
  return {
    ...check,
    status: "warning",
    detail,
    hint: "Start it with --tls-cert and --tls-key, or leave --host out.",
  };
}

/** Checks that batches can be run in a batch processor on AWS from here: that it answers, and that its bucket takes uploads. */
export async function checkProcessor(
  { services, host }: Wiring,
  runs: () => AwsRuns,
): Promise<ShownCheck & { readonly id: "batch_processor" }> {
  const id = "batch_processor";
  const title = "The batch processor on AWS can be used";
  try {
    const { stateMachineArn, runsUri } = runs();
    const { openStepFunctions } = await import("../../aws/open-step-functions.ts");
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

/** Checks that the registry can be read and everything in it is valid. */
export async function checkRegistry(wiring: Wiring): Promise<ShownCheck & { readonly id: "registry" }> {
  const title = "The registry can be read and all in it is valid";
  const { registry, addresses, problems: unreadable } = openRegistry(wiring);
  const problems: Problem[] = [];
  const tell = (thrown: unknown): void => {
    const hint = thrown instanceof RowcallError ? thrown.hint : undefined;
    problems.push({ path: "", message: messageOf(thrown), ...(hint === undefined ? {} : { hint }) });
  };
  const inspect = (look: () => unknown): void => {
    try {
      look();
    } catch (thrown) {
      tell(thrown);
    }
  };
  try {
    const agents = await registry.agents.list();
    const templates = await registry.templates.list();
    unreadable.forEach(tell);
    for (const agent of agents) inspect(() => validateAgent(agent, `agent ${agent.agent_name}@${agent.version}`));
    for (const template of templates)
      inspect(() => validateTemplate(template, `template ${template.template_id}@${template.version}`));
    const detail = `${agents.length} agents and ${templates.length} templates in ${addresses.join(", ")}`;
    const [first] = problems;
    if (first === undefined) {
      if (agents.length > 0) return { id: "registry", title, status: "passed", detail };
      return {
        id: "registry",
        title,
        status: "warning",
        detail,
        hint: "Name the folder with --registry, or publish an agent: `rowcall agents publish FILE`.",
      };
    }
    return {
      id: "registry",
      title,
      status: "failed",
      detail: problems.map(({ message }) => message).join("; "),
      problems,
    };
  } catch (thrown) {
    const hint = thrown instanceof RowcallError ? thrown.hint : undefined;
    return {
      id: "registry",
      title,
      status: "failed",
      detail: messageOf(thrown),
      hint: hint ?? "Check --registry and the right to read its files.",
    };
  }
}
