import type { Page } from "playwright-core";
import { messageOf, RowcallError } from "../../core/errors.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { maskText } from "../../core/mask.ts";
import { askPage, type PageTimes } from "./ask-page.ts";
import { chooseOption, matchAddress } from "./choose.ts";
import { describeCondition, toPageCondition, type Condition } from "./conditions.ts";
import { describeSource, maxValueLength, readField, tooLong, toExtractTask } from "./extract-fields.ts";
import { goTo, type WayOut } from "./goto.ts";
import type { PageAnswer, PageResult, PageTask } from "./in-page/protocol.ts";
import { toPageLocators, type Locators } from "./locators.ts";
import { render } from "./rendering.ts";
import { usesSecrets } from "./secret-uses.ts";
import { evaluate } from "./set-fields.ts";
import { addressText, describeShown, label, listed, refused, unexpected } from "./step-words.ts";
import type { PlainStep, Step } from "./steps.ts";
import type { Tabs } from "./tabs.ts";

type StepOf<A extends Step["action"]> = Extract<Step, { readonly action: A }>;

/** What steps work on. */
export interface StepContext {
  readonly tabs: Tabs;
  /** Variables, and what steps extracted and set so far. */
  readonly scope: JsonObject;
  /** By name; they can be typed, and nothing else. */
  readonly secrets: JsonObject;
  /** What may be clicked away when it is in the way. */
  readonly dismiss: readonly Locators[];
  /** How long the page may take, unless the step says otherwise. */
  readonly timeoutMs: number;
  /** Which addresses can be opened. @default all that are web pages */
  readonly wayOut?: WayOut | undefined;
  screenshot(name: string): Promise<string>;
  /** Told of what was typed as a password, whatever it was made of. */
  conceal(text: string): void;
  /** Told of what else came of a step. */
  note(words: string): void;
}

/** What a step brought. */
export interface StepResult {
  /** Values for the scope and the output. */
  readonly values?: Readonly<Record<string, JsonValue>>;
  /** What came of it, in words. */
  readonly detail?: string;
}

/**
 * Does one step.
 *
 * @throws RowcallError with a row's code
 */
export async function performStep(step: PlainStep, context: StepContext): Promise<StepResult> {
  const { scope } = context;
  // Fields are filled one after the other; what that has set off is waited for before anything else.
  if (step.action !== "fill") await settle(context, timeoutOf(step, context));
  switch (step.action) {
    case "goto":
      return goTo(step, context, timeoutOf(step, context));
    case "fill": {
      const isSecret = usesSecrets(step.value);
      const value = render(step.value, isSecret ? { ...scope, secret: context.secrets } : scope);
      const target = toPageLocators(step.locator, scope);
      context.tabs.begin();
      const { isPassword } = await ask(step, { kind: "fill", target, value, isSecret }, context);
      if (isPassword === true) context.conceal(value);
      return { detail: isSecret || isPassword === true ? maskText : JSON.stringify(value) };
    }
    case "click":
      await click(
        step,
        { kind: "point", target: toPageLocators(step.locator, scope), dismiss: dismissed(context) },
        context,
      );
      return {};
    case "check":
      await check(step, context);
      return {};
    case "select": {
      const [option, by] =
        step.option === undefined ? [step.value ?? "", "value" as const] : [step.option, "label" as const];
      context.tabs.begin();
      await ask(
        step,
        { kind: "select", target: toPageLocators(step.locator, scope), option: render(option, scope), by },
        context,
      );
      await settle(context, timeoutOf(step, context));
      return {};
    }
    case "press": {
      const target = step.locator === undefined ? undefined : toPageLocators(step.locator, scope);
      context.tabs.begin();
      await ask(step, { kind: "focus", target }, context);
      await trusted(step, context, ({ keyboard }) => keyboard.press(render(step.key, scope)));
      return {};
    }
    case "wait_for":
      return waitFor(step, context);
    case "extract":
      return extract(step, context);
    case "set": {
      const values: Record<string, JsonValue> = {};
      // Each field may build on those before it.
      for (const [name, expression] of Object.entries(step.fields))
        values[name] = evaluate(expression, name, { ...scope, ...values });
      return { values, detail: JSON.stringify(values) };
    }
    case "expect":
      return expect(step, context);
    case "screenshot":
      return { detail: await context.screenshot(step.file) };
    case "choose":
      return choose(step, context);
    case "fail":
      throw new RowcallError(
        step.code,
        render(step.message, scope),
        step.hint === undefined ? {} : { hint: render(step.hint, scope) },
      );
    case "act":
    case "act_with_schema":
      throw new RowcallError(
        "MODEL_MISSING",
        `Step "${step.action}" needs a language model, and no language model is configured`,
        {
          hint: "Replace the step by deterministic ones such as click, fill and extract.",
        },
      );
  }
}

/** Whether a condition holds right now. */
export async function conditionHolds(
  condition: Condition,
  context: StepContext,
): Promise<{ readonly holds: boolean; readonly words: string }> {
  await settle(context, context.timeoutMs);
  const inPage = toPageCondition(condition, context.scope);
  const words = describeCondition(inPage);
  if (inPage.kind === "known") return { holds: inPage.holds, words };
  const answer = await askPage(
    context.tabs.current,
    { kind: "conditions", named: [["it", inPage]] },
    atOnce(context.timeoutMs),
  );
  return { holds: answer.status === "done", words };
}

/** Waits until all is done that an action has set off. */
export async function settle({ tabs, note }: StepContext, limitMs: number): Promise<void> {
  const words = await tabs.settle(limitMs);
  if (words !== undefined) note(words);
}

async function check(step: StepOf<"check">, context: StepContext): Promise<void> {
  const task: PageTask = {
    kind: "check",
    target: toPageLocators(step.locator, context.scope),
    checked: step.checked,
    dismiss: dismissed(context),
  };
  const { document } = context.tabs.current;
  await click(step, task, context);
  // A box that sends its form goes with the page.
  const { current } = context.tabs;
  if (current.document !== document || current.leavingFor !== undefined) return;
  // Asked once more: a box that does not change must not pass for checked.
  const after = await askPage(context.tabs.current, task, atOnce(timeoutOf(step, context)));
  if (after.status === "done" && after.value.point === undefined) return;
  throw new RowcallError("STEP_FAILED", `${label(step, context.scope)}: the box did not change`, {
    hint: "Look at the recording.",
  });
}

/** Clicks where the page says, as often as something in the way has to go first. */
async function click(step: PlainStep, task: PageTask, context: StepContext): Promise<void> {
  for (let time = 0; time < 6; time += 1) {
    context.tabs.begin();
    const { point, inTheWay } = await ask(step, task, context);
    if (point === undefined) return;
    await trusted(step, context, ({ mouse }) => mouse.click(point.x, point.y));
    if (inTheWay !== true) return;
  }
  throw new RowcallError(
    "STEP_FAILED",
    `${label(step, context.scope)}: what is in the way came back after every click`,
    { hint: "Look at the template's dismiss." },
  );
}

async function waitFor(step: StepOf<"wait_for">, context: StepContext): Promise<StepResult> {
  const conditions = step.first_of ?? (step.condition === undefined ? {} : { it: step.condition });
  const named = Object.entries(conditions).map(
    ([name, condition]) => [name, toPageCondition(condition, context.scope)] as const,
  );
  const { holds = "" } = await ask(step, { kind: "conditions", named }, context);
  return {
    ...(step.as === undefined ? {} : { values: { [step.as]: holds } }),
    ...(step.first_of === undefined ? {} : { detail: holds }),
  };
}

async function extract(step: StepOf<"extract">, context: StepContext): Promise<StepResult> {
  const { scope } = context;
  const task = toExtractTask(step.fields, step.tables, step.unknown_tables, scope);
  const answer = await askPage(context.tabs.current, task, timesOf(step, context));
  if (answer.status === "refused") {
    if (answer.kind !== "missing")
      throw unexpected(step, `the page is not as expected: ${answer.why}`, answer.shown, scope);
    const where = task.fields
      .filter(({ required }) => required)
      .map(({ name, source }) => `${name} (${describeSource(source)})`);
    throw new RowcallError(
      "EXTRACT_EMPTY",
      `${label(step, context.scope)}: nothing to extract for ${answer.why}; ${describeShown(answer.shown)}`,
      {
        hint: `Look at the recording, and at the locators of ${where.join(", ")}.`,
        details: { shown: answer.shown },
      },
    );
  }
  const { fields = {}, shown } = answer.value;
  try {
    const values = Object.entries(step.fields).map(
      ([name, field]) =>
        [name, readField(name, field, fields[name] ?? { found: "nothing", why: "it was not read" }, scope)] as const,
    );
    return { values: Object.fromEntries(values), detail: JSON.stringify(Object.fromEntries(values)) };
  } catch (thrown) {
    if (!(thrown instanceof RowcallError) || shown === undefined) throw thrown;
    const message = `${thrown.message}; ${describeShown(shown)}`;
    throw new RowcallError(thrown.code, message, {
      ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
      details: { ...thrown.details, shown },
      cause: thrown,
    });
  }
}

async function expect(step: StepOf<"expect">, context: StepContext): Promise<StepResult> {
  const { scope } = context;
  const said = step.message === undefined ? undefined : render(step.message, scope);
  if (step.address !== undefined) {
    const shown = render(step.address.shown, scope);
    const wanted = render(step.address.wanted, scope);
    const match = matchAddress(shown, wanted);
    if (match.fits) return { detail: `"${shown}": ${match.why}` };
    throw new RowcallError(
      "PAGE_UNEXPECTED",
      said ?? `The page shows "${shown}", but asked for was ${addressText(wanted)}: ${match.why}`,
      {
        hint: "The site answered for another address. Look at the recording.",
        details: { shown, wanted },
      },
    );
  }
  const condition = toPageCondition(step.condition ?? { all: [] }, scope);
  if (condition.kind === "known") {
    if (condition.holds) return {};
    throw new RowcallError("PAGE_UNEXPECTED", said ?? `${label(step, context.scope)}: it does not hold`, {
      hint: "Look at the recording.",
    });
  }
  const answer = await askPage(
    context.tabs.current,
    { kind: "conditions", named: [["it", condition]] },
    timesOf(step, context),
  );
  if (answer.status === "refused")
    throw unexpected(step, said ?? `expected that ${describeCondition(condition)}`, answer.shown, scope);
  return {};
}

async function choose(step: StepOf<"choose">, context: StepContext): Promise<StepResult> {
  const { scope } = context;
  const target = toPageLocators(step.locator, scope);
  const wanted = render(step.wanted, scope);
  const { options = [] } = await ask(step, { kind: "options", target }, context);
  const choice = chooseOption(options, wanted);
  if (choice.kind === "ambiguous") {
    throw new RowcallError(
      "CHOICE_AMBIGUOUS",
      `${addressText(wanted)} is ambiguous: ${choice.why}: ${listed(choice.candidates)}`,
      {
        hint: "Name the flat, house or town in full_address, as the list does.",
        details: { candidates: choice.candidates },
      },
    );
  }
  if (choice.kind === "none") {
    throw new RowcallError(
      "CHOICE_NONE",
      `${addressText(wanted)} is not among the ${options.filter((text) => text !== "").length} options; nearest: ${listed(choice.nearest)} (${choice.why})`,
      {
        hint: "Check number, street and postcode of the row.",
        details: { nearest: choice.nearest, options },
      },
    );
  }
  const text = options[choice.index] ?? "";
  if (text.length > maxValueLength) throw tooLong("The chosen option", text.length);
  context.tabs.begin();
  const { point } = await ask(step, { kind: "pick", target, index: choice.index, text }, context);
  if (point === undefined) await settle(context, timeoutOf(step, context));
  else await trusted(step, context, ({ mouse }) => mouse.click(point.x, point.y));
  return { ...(step.as === undefined ? {} : { values: { [step.as]: text } }), detail: `"${text}": ${choice.why}` };
}

async function ask(step: PlainStep, task: PageTask, context: StepContext): Promise<PageResult> {
  const answer: PageAnswer = await askPage(context.tabs.current, task, timesOf(step, context));
  if (answer.status === "done") return answer.value;
  throw refused(step, answer, context.scope, timeoutOf(step, context));
}

function dismissed({ dismiss, scope }: StepContext): readonly ReturnType<typeof toPageLocators>[] {
  return dismiss.map((locators) => toPageLocators(locators, scope));
}

function timeoutOf(step: PlainStep, context: StepContext): number {
  return step.timeout_seconds === undefined ? context.timeoutMs : step.timeout_seconds * 1000;
}

function timesOf(step: PlainStep, context: StepContext): PageTimes {
  return { waitMs: timeoutOf(step, context), limitMs: timeoutOf(step, context) };
}

function atOnce(limitMs: number): PageTimes {
  return { waitMs: 0, limitMs };
}

/** Uses mouse or keyboard, and waits for what that sets off. A tab that closes at it, or in the middle of it, has done what it was for. */
async function trusted(step: PlainStep, context: StepContext, input: (page: Page) => Promise<void>): Promise<void> {
  const { page } = context.tabs.current;
  try {
    await input(page);
  } catch (cause) {
    const { page: next } = context.tabs.current;
    if (next === page || next.isClosed())
      throw new RowcallError(
        /closed|crashed/i.test(messageOf(cause)) ? "BROWSER_CRASHED" : "STEP_FAILED",
        `Step ${step.action}: ${messageOf(cause)}`,
        { hint: "Look at the recording.", cause },
      );
  }
  await settle(context, timeoutOf(step, context));
}
