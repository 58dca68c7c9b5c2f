import type { Page } from "playwright-core";
import { messageOf, RowcallError } from "../../../core/errors.ts";
import type { JsonObject, JsonValue } from "../../../core/json.ts";
import { maskText } from "../../../core/mask.ts";
import { askPage } from "../page/ask-page.ts";
import { chooseOption, matchAddress } from "./choose.ts";
import { describeCondition, toPageCondition, type Condition } from "../template/conditions.ts";
import { describeSource, maxValueLength, readField, tooLong, toExtractTask } from "../template/extract-fields.ts";
import type { WayOut } from "../egress/egress.ts";
import { goTo } from "./goto.ts";
import type { PageCondition, PageResult, PageTarget, PageTask } from "../page/in-page/protocol.ts";
import { toPageLocators, type Locators } from "../template/locators.ts";
import { render } from "../template/rendering.ts";
import { usesSecrets } from "../template/secret-uses.ts";
import { evaluate } from "../template/set-fields.ts";
import { addressText, describeShown, label, listed, saying, stepError } from "./step-words.ts";
import type { PlainStep } from "../template/steps.ts";
import type { Tabs } from "../page/tabs.ts";

type StepOf<A extends PlainStep["action"]> = Extract<PlainStep, { readonly action: A }>;

/** Everything that steps work with. */
export interface StepContext {
  readonly tabs: Tabs;
  /** Variables, and what steps extracted and set so far. */
  readonly scope: JsonObject;
  /** By name; they can be typed, and nothing else. */
  readonly secrets: JsonObject;
  /** Buttons that close what covers the page; clicked when it is in the way. */
  readonly dismiss: readonly Locators[];
  /** Longest wait for the page, unless the step says otherwise. */
  readonly timeoutMs: number;
  /** Which addresses can be opened. @default all that are web pages */
  readonly wayOut?: WayOut;
  screenshot(name: string): Promise<string>;
  /** Told of what was typed as a password, whatever it was made of. */
  conceal(text: string): void;
  /** Told of what else came of a step. */
  note(words: string): void;
}

/** A step that is being done. */
interface StepRun extends StepContext {
  readonly step: PlainStep;
  /** Longest wait until the step can be done. */
  readonly limitMs: number;
}

/** The result of a step. */
export interface StepResult {
  /** Values for the scope and the output. */
  readonly values?: Readonly<Record<string, JsonValue>>;
  /** The result in words. */
  readonly detail?: string;
}

/**
 * Does one step.
 *
 * @throws RowcallError with a row's code
 */
export async function performStep(step: PlainStep, context: StepContext): Promise<StepResult> {
  const { scope } = context;
  const limitMs = step.timeout_seconds === undefined ? context.timeoutMs : step.timeout_seconds * 1000;
  const run: StepRun = { ...context, step, limitMs };
  // Fields are filled one after the other; what that has set off is waited for before anything else.
  if (step.action !== "fill") await settle(run, limitMs);
  switch (step.action) {
    case "goto":
      return goTo(step, run, limitMs);
    case "fill":
      return fill(step, run);
    case "click":
      await act(run, { kind: "point", target: toPageLocators(step.locator, scope), dismiss: dismissed(run) });
      return {};
    case "check":
      return check(step, run);
    case "select": {
      const option = render(step.option ?? step.value ?? "", scope);
      const by = step.option === undefined ? "value" : "label";
      await act(run, { kind: "select", target: toPageLocators(step.locator, scope), option, by });
      return {};
    }
    case "press": {
      const target = step.locator === undefined ? undefined : toPageLocators(step.locator, scope);
      run.tabs.begin();
      await ask(run, { kind: "focus", target });
      await useInput(run, ({ keyboard }) => keyboard.press(render(step.key, scope)));
      return {};
    }
    case "wait_for":
      return waitFor(step, run);
    case "extract":
      return extract(step, run);
    case "set": {
      const values: Record<string, JsonValue> = {};
      // Each field may build on those before it.
      for (const [name, expression] of Object.entries(step.fields))
        values[name] = evaluate(expression, name, { ...scope, ...values });
      return { values, detail: JSON.stringify(values) };
    }
    case "expect":
      return expect(step, run);
    case "screenshot":
      return { detail: await context.screenshot(step.file) };
    case "choose":
      return choose(step, run);
    case "fail":
      throw new RowcallError(step.code, render(step.message, scope), { hint: render(step.hint, scope) });
    case "act":
    case "act_with_schema":
      throw new RowcallError(
        "MODEL_MISSING",
        `Step "${step.action}" needs a language model, and no language model is configured`,
        { hint: "Replace the step by deterministic ones such as click, fill and extract." },
      );
  }
}

/** Returns whether a condition holds right now. */
export async function conditionHolds(
  condition: Condition,
  context: StepContext,
): Promise<{ readonly holds: boolean; readonly words: string }> {
  await settle(context, context.timeoutMs);
  const inPage = toPageCondition(condition, context.scope);
  const words = describeCondition(inPage);
  if (inPage.kind === "known") return { holds: inPage.holds, words };
  const times = { waitMs: 0, limitMs: context.timeoutMs };
  const answer = await askPage(context.tabs.current, ifHolds(inPage), times);
  return { holds: answer.status === "done", words };
}

/** Waits until all is done that an action has set off. */
export async function settle({ tabs, note }: StepContext, limitMs: number): Promise<void> {
  const words = await tabs.settle(limitMs);
  if (words !== undefined) note(words);
}

async function fill({ value, locator }: StepOf<"fill">, run: StepRun): Promise<StepResult> {
  const { scope, secrets, tabs, conceal } = run;
  const isSecret = usesSecrets(value);
  const typed = render(value, isSecret ? { ...scope, secret: secrets } : scope);
  tabs.begin();
  const task: PageTask = { kind: "fill", target: toPageLocators(locator, scope), value: typed, isSecret };
  const { isPassword = false } = await ask(run, task);
  if (isPassword) conceal(typed);
  return { detail: isSecret || isPassword ? maskText : JSON.stringify(typed) };
}

async function check({ locator, checked }: StepOf<"check">, run: StepRun): Promise<StepResult> {
  const target = toPageLocators(locator, run.scope);
  const task: PageTask = { kind: "check", target, checked, dismiss: dismissed(run) };
  const { document } = run.tabs.current;
  await act(run, task);
  // A box that sends its form goes with the page.
  const { current } = run.tabs;
  if (current.document !== document || current.leavingFor !== undefined) return {};
  // Asked once more: a box that does not change must not pass for checked.
  const after = await askPage(current, task, { waitMs: 0, limitMs: run.limitMs });
  if (after.status === "done" && after.value.point === undefined) return {};
  throw stepError(run, "STEP_FAILED", "the box did not change", { hint: "Look at the recording." });
}

async function waitFor(step: StepOf<"wait_for">, run: StepRun): Promise<StepResult> {
  const conditions = step.first_of ?? (step.condition === undefined ? {} : { it: step.condition });
  const named = Object.entries(conditions).map(
    ([name, condition]) => [name, toPageCondition(condition, run.scope)] as const,
  );
  const { holds = "" } = await ask(run, { kind: "conditions", named });
  return {
    values: step.as === undefined ? undefined : { [step.as]: holds },
    detail: step.first_of === undefined ? undefined : holds,
  };
}

async function extract(step: StepOf<"extract">, run: StepRun): Promise<StepResult> {
  const { scope, limitMs } = run;
  const task = toExtractTask(step.fields, step.tables, step.unknown_tables, scope);
  const answer = await askPage(run.tabs.current, task, { waitMs: limitMs, limitMs });
  if (answer.status === "refused") {
    const { kind, why, shown } = answer;
    if (kind !== "missing") throw stepError(run, "PAGE_UNEXPECTED", `the page is not as expected: ${why}`, { shown });
    const where = task.fields
      .filter(({ required }) => required)
      .map(({ name, source }) => `${name} (${describeSource(source)})`);
    const hint = `Look at the recording, and at the locators of ${where.join(", ")}.`;
    throw stepError(run, "EXTRACT_EMPTY", `nothing to extract for ${why}`, { shown, hint });
  }
  const { fields = {}, shown } = answer.value;
  try {
    const values = Object.fromEntries(
      Object.entries(step.fields).map(([name, field]) => [
        name,
        readField(name, field, fields[name] ?? { found: "nothing", why: "it was not read" }, scope),
      ]),
    );
    return { values, detail: JSON.stringify(values) };
  } catch (thrown) {
    if (!(thrown instanceof RowcallError) || shown === undefined) throw thrown;
    throw saying(thrown, [describeShown(shown)], { shown });
  }
}

async function expect(step: StepOf<"expect">, run: StepRun): Promise<StepResult> {
  const { scope, limitMs } = run;
  const said = render(step.message, scope);
  if (step.address !== undefined) {
    const { shown, wanted } = render(step.address, scope);
    const match = matchAddress(shown, wanted);
    if (match.fits) return { detail: `"${shown}": ${match.why}` };
    throw new RowcallError(
      "PAGE_UNEXPECTED",
      said ?? `The page shows "${shown}", but asked for was ${addressText(wanted)}: ${match.why}`,
      { hint: "The site answered for another address. Look at the recording.", details: { shown, wanted } },
    );
  }
  const condition = toPageCondition(step.condition ?? { all: [] }, scope);
  if (condition.kind === "known") {
    if (condition.holds) return {};
    const message = said ?? `${label(step, scope)}: it does not hold`;
    throw new RowcallError("PAGE_UNEXPECTED", message, { hint: "Look at the recording." });
  }
  const answer = await askPage(run.tabs.current, ifHolds(condition), { waitMs: limitMs, limitMs });
  if (answer.status === "done") return {};
  const why = said ?? `expected that ${describeCondition(condition)}`;
  throw stepError(run, "PAGE_UNEXPECTED", why, { shown: answer.shown });
}

async function choose(step: StepOf<"choose">, run: StepRun): Promise<StepResult> {
  const target = toPageLocators(step.locator, run.scope);
  const wanted = render(step.wanted, run.scope);
  const { options = [] } = await ask(run, { kind: "options", target });
  const choice = chooseOption(options, wanted);
  if (choice.kind === "ambiguous") {
    const { candidates, why } = choice;
    throw new RowcallError("CHOICE_AMBIGUOUS", `${addressText(wanted)} is ambiguous: ${why}: ${listed(candidates)}`, {
      hint: "Name the flat, house or town in full_address, as the list does.",
      details: { candidates },
    });
  }
  if (choice.kind === "none") {
    const { nearest, why } = choice;
    const many = options.filter((text) => text !== "").length;
    throw new RowcallError(
      "CHOICE_NONE",
      `${addressText(wanted)} is not among the ${many} options; nearest: ${listed(nearest)} (${why})`,
      { hint: "Check number, street and postcode of the row.", details: { nearest, options } },
    );
  }
  const text = options[choice.index] ?? "";
  if (text.length > maxValueLength) throw tooLong("The chosen option", text.length);
  await act(run, { kind: "pick", target, index: choice.index, text });
  return { values: step.as === undefined ? undefined : { [step.as]: text }, detail: `"${text}": ${choice.why}` };
}

/** Has the page do something, by a click where it says so, as often as something in the way has to go first. */
async function act(run: StepRun, task: PageTask): Promise<void> {
  for (let time = 0; time < 6; time += 1) {
    run.tabs.begin();
    const { point, inTheWay } = await ask(run, task);
    if (point === undefined) return settle(run, run.limitMs);
    await useInput(run, ({ mouse }) => mouse.click(point.x, point.y));
    if (inTheWay !== true) return;
  }
  const why = "what is in the way came back after every click";
  throw stepError(run, "STEP_FAILED", why, { hint: "Look at the template's dismiss." });
}

async function ask(run: StepRun, task: PageTask): Promise<PageResult> {
  const { tabs, limitMs } = run;
  const answer = await askPage(tabs.current, task, { waitMs: limitMs, limitMs });
  if (answer.status === "done") return answer.value;
  const subject = answer.kind === "unable" ? "it " : "";
  const why = `${subject}${answer.why} after ${limitMs / 1000} s`;
  throw stepError(run, "STEP_FAILED", why, { shown: answer.shown });
}

/** Uses mouse or keyboard, and waits for what that sets off. A tab that closes at it, or in the middle of it, has done what it was for. */
async function useInput(run: StepRun, input: (page: Page) => Promise<void>): Promise<void> {
  const { page } = run.tabs.current;
  try {
    await input(page);
  } catch (cause) {
    const { page: next } = run.tabs.current;
    if (next === page || next.isClosed())
      throw new RowcallError(
        /closed|crashed/i.test(messageOf(cause)) ? "BROWSER_CRASHED" : "STEP_FAILED",
        `Step ${run.step.action}: ${messageOf(cause)}`,
        { hint: "Look at the recording.", cause },
      );
  }
  await settle(run, run.limitMs);
}

function ifHolds(condition: PageCondition): PageTask {
  return { kind: "conditions", named: [["it", condition]] };
}

function dismissed({ dismiss, scope }: StepContext): readonly PageTarget[] {
  return dismiss.map((locators) => toPageLocators(locators, scope));
}
