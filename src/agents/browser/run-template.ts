import type { StepRecord } from "../../core/attempt.ts";
import { RowcallError } from "../../core/errors.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { arrivePage } from "./ask-page.ts";
import type { WayOut } from "./goto.ts";
import { conditionHolds, performStep, settle, type StepContext } from "./perform-step.ts";
import { describeDialogs, describeStep } from "./step-words.ts";
import type { PlainStep, Step } from "./steps.ts";
import type { PageDialog } from "./tab.ts";
import type { Tabs } from "./tabs.ts";
import { startingPage, type BrowserTemplate } from "./template.ts";
import { readVariables } from "./variables.ts";

/** What running a template takes. */
export interface RunTemplateOptions {
  readonly tabs: Tabs;
  readonly template: BrowserTemplate;
  /** The row's input and the agent's own variables. */
  readonly variables: JsonObject;
  /** What `{{secret.NAME}}` stands for. @default none */
  readonly secrets?: JsonObject;
  /** Ends the script between two steps; whoever aborts also closes the page, which ends a step under way. */
  readonly signal: AbortSignal;
  /** Which addresses can be opened. @default all that are web pages */
  readonly wayOut?: WayOut;
  /** Told of every step that was done, failed or left out. */
  onStep(record: StepRecord): void;
  /** Told of what was typed as a password. */
  conceal?(text: string): void;
  /** Keeps a picture of the page under a name and returns its URI. */
  screenshot(name: string): Promise<string>;
}

interface Script {
  readonly options: RunTemplateOptions;
  readonly scope: Record<string, JsonValue | undefined>;
  readonly set: Record<string, JsonValue>;
}

/**
 * Runs a template from its starting page on.
 *
 * @returns what the steps extracted and set: the template's `output`, or everything
 * @throws RowcallError with a row's code that says which step failed, how, and what the page showed; TEMPLATE_RENDER and
 *   ROW_INVALID before anything is opened
 */
export async function runTemplate(options: RunTemplateOptions): Promise<JsonObject> {
  const { template, variables } = options;
  const url = startingPage(template, variables);
  // What the page says in a dialog can be used like a variable, unless the row brings one of that name.
  const scope = { dialog: "", ...readVariables(template.variables, variables) };
  const script: Script = { options, scope, set: {} };
  const start: Step = {
    action: "goto",
    name: `open ${url}`,
    url: template.starting_page,
    wait_until: "domcontentloaded",
    timeout_seconds: Math.max(30, template.session.timeout_seconds),
  };
  await runStep(start, script);
  await runSteps(template.steps, script);
  // What the last action has set off belongs to the row: a form that is not sent yet would be lost with the page.
  const limitMs = template.session.timeout_seconds * 1000;
  await settle(
    contextOf(script, () => undefined),
    limitMs,
  );
  await arrivePage(options.tabs.current, limitMs);
  const { output } = template;
  return output === undefined
    ? script.set
    : Object.fromEntries(output.flatMap((name) => (Object.hasOwn(script.set, name) ? [[name, script.set[name]]] : [])));
}

async function runSteps(steps: readonly Step[], script: Script): Promise<void> {
  for (const step of steps) await runStep(step, script);
}

async function runStep(step: Step, script: Script): Promise<void> {
  const { options, scope } = script;
  options.signal.throwIfAborted();
  if (step.action === "if" || step.action === "try" || step.action === "repeat") {
    await runControl(step, script);
    return;
  }
  const startedAt = performance.now();
  const notes: string[] = [];
  const said = options.tabs.dialogs.length;
  const record = (status: StepRecord["status"], ...details: readonly string[]): void => {
    const name = step.name ?? describeStep(step, scope);
    const detail = [...details, ...notes, ...describeDialogs(options.tabs.dialogs.slice(said))].join("; ");
    options.onStep({
      name,
      status,
      durationMs: performance.now() - startedAt,
      ...(detail === "" ? {} : { detail }),
    });
  };
  try {
    const { values = {}, detail } = await performStep(
      step,
      contextOf(script, (words) => notes.push(words)),
    );
    keepDialog(script, said);
    Object.assign(scope, values);
    Object.assign(script.set, values);
    record("done", ...(detail === undefined ? [] : [detail]));
  } catch (thrown) {
    options.signal.throwIfAborted();
    if (!(thrown instanceof RowcallError)) throw thrown;
    record("failed", thrown.message);
    keepDialog(script, said);
    const error = withDialogs(thrown, step, options.tabs.dialogs.slice(said));
    if (options.template.abort_on_error || step.action === "fail" || endsScript(error)) throw error;
  }
}

/** Makes what the page has said since then the variable `dialog`. */
function keepDialog({ options, scope }: Script, since: number): void {
  const last = options.tabs.dialogs.slice(since).at(-1);
  if (last !== undefined && !Object.hasOwn(options.variables, "dialog")) scope["dialog"] = last.message;
}

/** The error of a step during which the page said something: often that is the reason. */
function withDialogs(error: RowcallError, step: PlainStep, dialogs: readonly PageDialog[]): RowcallError {
  if (dialogs.length === 0 || step.action === "fail") return error;
  return new RowcallError(error.code, [error.message, ...describeDialogs(dialogs)].join("; "), {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    details: { ...error.details, dialogs: dialogs.map(({ message }) => message) },
    cause: error,
  });
}

async function runControl(step: Step & { readonly action: "if" | "try" | "repeat" }, script: Script): Promise<void> {
  const { options, scope } = script;
  const context = contextOf(script, () => undefined);
  const asked = async (condition: Parameters<typeof conditionHolds>[0]): Promise<boolean> => {
    const startedAt = performance.now();
    const { holds, words } = await conditionHolds(condition, context);
    const name = step.name ?? `${step.action} ${words}`;
    options.onStep({
      name,
      status: holds ? "done" : "skipped",
      durationMs: performance.now() - startedAt,
      detail: holds ? "it holds" : "it does not hold",
    });
    return holds;
  };
  if (step.action === "if") {
    await runSteps((await asked(step.condition)) ? step.then : step.else, script);
  } else if (step.action === "try") {
    try {
      await runSteps(step.steps, script);
    } catch (thrown) {
      if (!(thrown instanceof RowcallError) || endsScript(thrown)) throw thrown;
      scope[step.as] = { code: thrown.code, message: thrown.message };
      await runSteps(step.catch, script);
    }
  } else {
    for (let time = 1; time <= step.times; time += 1) {
      await runSteps(step.steps, script);
      if (step.until !== undefined && (await asked(step.until))) return;
      if (time < step.times && step.delay_seconds > 0) await pause(step.delay_seconds * 1000, options.signal);
    }
    if (step.until === undefined) return;
    throw new RowcallError(
      "PAGE_UNEXPECTED",
      `${step.name ?? "repeat"}: it did not come true within ${step.times} times`,
      {
        hint: "Raise the step's times or delay_seconds, or look at the recording.",
      },
    );
  }
}

/** Errors after which nothing more can be tried with this page, or should be. */
function endsScript(error: RowcallError): boolean {
  return ["BROWSER_CRASHED", "NEEDS_HUMAN", "INTERRUPTED", "TIMEOUT", "HOST_BLOCKED"].includes(error.code);
}

function contextOf({ options, scope }: Script, note: (words: string) => void): StepContext {
  const { tabs, template, secrets = {}, wayOut, screenshot } = options;
  const timeoutMs = template.session.timeout_seconds * 1000;
  const conceal = (text: string): void => options.conceal?.(text);
  return { tabs, scope, secrets, conceal, wayOut, dismiss: template.dismiss, timeoutMs, screenshot, note };
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    }, delayMs);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
