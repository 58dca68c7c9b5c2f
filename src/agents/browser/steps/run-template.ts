import { setTimeout as delay } from "node:timers/promises";
import type { StepRecord } from "../../../core/attempt.ts";
import { RowcallError } from "../../../core/errors.ts";
import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { arrivePage } from "../page/ask-page.ts";
import type { Condition } from "../template/conditions.ts";
import type { WayOut } from "../egress/egress.ts";
import { conditionHolds, performStep, settle, type StepContext } from "./perform-step.ts";
import { describeDialogs, describeStep, saying } from "./step-words.ts";
import type { ControlStep, PlainStep, Step } from "../template/steps.ts";
import type { Tabs } from "../page/tabs.ts";
import { startingPage, type BrowserTemplate } from "../template/template.ts";
import { readVariables } from "../template/variables.ts";

/** Options for running a template. */
export interface RunTemplateOptions {
  readonly tabs: Tabs;
  readonly template: BrowserTemplate;
  /** The row's input and the agent's own variables. */
  readonly variables: JsonObject;
  /** Values of `{{secret.NAME}}`, by name. @default none */
  readonly secrets?: JsonObject;
  /** Ends the script between two steps; whoever aborts also closes the page, which ends a step in flight. */
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
  readonly context: StepContext;
  /** Variables, and what steps extracted and set so far; `context` shows them to steps. */
  readonly scope: Record<string, JsonValue | undefined>;
  readonly set: Record<string, JsonValue>;
  /** Notes on the step in flight. */
  readonly notes: string[];
}

/**
 * Runs a template from its starting page on.
 *
 * @returns what the steps extracted and set: the template's `output`, or everything
 * @throws RowcallError with a row's code that says which step failed, how, and what the page showed; TEMPLATE_RENDER and
 *   ROW_INVALID before anything is opened
 */
export async function runTemplate(options: RunTemplateOptions): Promise<JsonObject> {
  const { tabs, template, variables, secrets = {}, wayOut, conceal = () => undefined, screenshot } = options;
  const { dismiss, session, output } = template;
  const url = startingPage(template, variables);
  // What the page says in a dialog can be used like a variable, unless the row brings one of that name.
  const scope = { dialog: "", ...readVariables(template.variables, variables) };
  const notes: string[] = [];
  const note = (words: string): void => void notes.push(words);
  const timeoutMs = session.timeout_seconds * 1000;
  const context: StepContext = { tabs, scope, secrets, dismiss, timeoutMs, wayOut, screenshot, conceal, note };
  const script: Script = { options, context, scope, set: {}, notes };
  const start: Step = {
    action: "goto",
    name: `open ${url}`,
    url: template.starting_page,
    wait_until: "domcontentloaded",
    timeout_seconds: Math.max(30, session.timeout_seconds),
  };
  await runSteps([start, ...template.steps], script);
  // What the last action has set off belongs to the row: a form that is not sent yet would be lost with the page.
  await settle(context, timeoutMs);
  await arrivePage(tabs.current, timeoutMs);
  const { set } = script;
  return output === undefined
    ? set
    : Object.fromEntries(output.flatMap((name) => (Object.hasOwn(set, name) ? [[name, set[name]]] : [])));
}

async function runSteps(steps: readonly Step[], script: Script): Promise<void> {
  for (const step of steps) {
    script.options.signal.throwIfAborted();
    if (step.action === "if" || step.action === "try" || step.action === "repeat") await runControl(step, script);
    else await runStep(step, script);
  }
}

async function runStep(step: PlainStep, script: Script): Promise<void> {
  const { options, context, scope, set, notes } = script;
  const { tabs, template, variables, signal } = options;
  const startedAt = performance.now();
  const dialogsBefore = tabs.dialogs.length;
  notes.length = 0;
  const record = (status: StepRecord["status"], said: string | undefined): void => {
    const dialogs = tabs.dialogs.slice(dialogsBefore);
    const detail = [...(said === undefined ? [] : [said]), ...notes, ...describeDialogs(dialogs)].join("; ");
    const name = step.name ?? describeStep(step, scope);
    const durationMs = performance.now() - startedAt;
    options.onStep({ name, status, durationMs, ...(detail === "" ? {} : { detail }) });
    const last = dialogs.at(-1);
    if (last !== undefined && !Object.hasOwn(variables, "dialog")) scope["dialog"] = last.message;
  };
  try {
    const { values, detail } = await performStep(step, context);
    record("done", detail);
    Object.assign(scope, values);
    Object.assign(set, values);
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof RowcallError)) throw thrown;
    record("failed", thrown.message);
    if (!template.abort_on_error && step.action !== "fail" && !endsScript(thrown)) return;
    const dialogs = tabs.dialogs.slice(dialogsBefore);
    if (dialogs.length === 0 || step.action === "fail") throw thrown;
    // What the page said meanwhile is often the reason.
    throw saying(thrown, describeDialogs(dialogs), { dialogs: dialogs.map(({ message }) => message) });
  }
}

async function runControl(step: ControlStep, script: Script): Promise<void> {
  const { options, scope } = script;
  switch (step.action) {
    case "if":
      return runSteps((await isSo(step.condition, step, script)) ? step.then : step.else, script);
    case "try":
      try {
        return await runSteps(step.steps, script);
      } catch (thrown) {
        if (!(thrown instanceof RowcallError) || endsScript(thrown)) throw thrown;
        scope[step.as] = { code: thrown.code, message: thrown.message };
        return runSteps(step.catch, script);
      }
    case "repeat":
      for (let time = 1; time <= step.times; time += 1) {
        await runSteps(step.steps, script);
        if (step.until !== undefined && (await isSo(step.until, step, script))) return;
        if (time < step.times && step.delay_seconds > 0) await pause(step.delay_seconds * 1000, options.signal);
      }
      if (step.until === undefined) return;
      throw new RowcallError(
        "PAGE_UNEXPECTED",
        `${step.name ?? "repeat"}: it did not come true within ${step.times} times`,
        { hint: "Raise the step's times or delay_seconds, or look at the recording." },
      );
  }
}

/** Returns whether a step's condition holds, and notes that as a step. */
async function isSo(condition: Condition, step: ControlStep, { options, context }: Script): Promise<boolean> {
  const startedAt = performance.now();
  const { holds, words } = await conditionHolds(condition, context);
  options.onStep({
    name: step.name ?? `${step.action} ${words}`,
    status: holds ? "done" : "skipped",
    durationMs: performance.now() - startedAt,
    detail: holds ? "it holds" : "it does not hold",
  });
  return holds;
}

/** Errors after which nothing more can be tried with this page, or should be. */
function endsScript(error: RowcallError): boolean {
  return ["BROWSER_CRASHED", "NEEDS_HUMAN", "INTERRUPTED", "TIMEOUT", "HOST_BLOCKED"].includes(error.code);
}

async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  await delay(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted());
}
