import type { Page, Response } from "playwright-core";
import { messageOf, RowcallError } from "../../core/errors.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { askPage } from "./ask-page.ts";
import { chooseOption, matchAddress } from "./choose.ts";
import { describeCondition, toPageCondition, type Condition } from "./conditions.ts";
import { describeSource, readField, toExtractTask } from "./extract-fields.ts";
import type { PageAnswer, PageResult, PageTask } from "./in-page/protocol.ts";
import { toPageLocators, type Locators } from "./locators.ts";
import { render } from "./rendering.ts";
import { evaluate } from "./set-fields.ts";
import { addressText, describeShown, label, listed, refused, unexpected } from "./step-words.ts";
import type { PlainStep, Step } from "./steps.ts";

type StepOf<A extends Step["action"]> = Extract<Step, { readonly action: A }>;

/** What steps work on. */
export interface StepContext {
  readonly page: Page;
  /** Variables, and what steps extracted and set so far. */
  readonly scope: JsonObject;
  /** What may be clicked away when it is in the way. */
  readonly dismiss: readonly Locators[];
  /** How long the page may take, unless the step says otherwise. */
  readonly timeoutMs: number;
  screenshot(name: string): Promise<string>;
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
  const { page, scope } = context;
  switch (step.action) {
    case "goto":
      return goTo(step, context);
    case "fill": {
      const value = render(step.value, scope);
      await ask(step, { kind: "fill", target: toPageLocators(step.locator, scope), value }, context);
      return { detail: JSON.stringify(value) };
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
      await ask(
        step,
        { kind: "select", target: toPageLocators(step.locator, scope), option: render(option, scope), by },
        context,
      );
      return {};
    }
    case "press":
      if (step.locator !== undefined)
        await ask(step, { kind: "focus", target: toPageLocators(step.locator, scope) }, context);
      await trusted(step, () => page.keyboard.press(render(step.key, scope)));
      return {};
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
  const inPage = toPageCondition(condition, context.scope);
  const words = describeCondition(inPage);
  if (inPage.kind === "known") return { holds: inPage.holds, words };
  const answer = await askPage(context.page, { kind: "conditions", named: [["it", inPage]] }, 0);
  return { holds: answer.status === "done", words };
}

async function goTo(step: StepOf<"goto">, context: StepContext): Promise<StepResult> {
  const url = render(step.url, context.scope);
  let response: Response | null;
  try {
    response = await context.page.goto(url, { waitUntil: step.wait_until, timeout: timeoutOf(step, context) });
  } catch (thrown) {
    const reason = /net::(ERR_\w+)/.exec(messageOf(thrown))?.[1];
    if (reason === "ERR_BLOCKED_BY_CLIENT")
      throw new RowcallError("HOST_BLOCKED", `${url} is outside of the allowed hosts`, {
        hint: "Add its host to the agent's allowed_hosts.",
        cause: thrown,
      });
    if (context.page.isClosed())
      throw new RowcallError("BROWSER_CRASHED", "The page was closed or crashed", {
        hint: "The row is tried again in a fresh browser page.",
        cause: thrown,
      });
    const why = reason ?? messageOf(thrown).split("\n")[0] ?? "";
    throw new RowcallError("PAGE_UNEXPECTED", `${url} could not be opened: ${why}`, {
      hint: "Check that the site can be reached from this machine.",
      cause: thrown,
    });
  }
  if (response === null || response.status() < 400) return {};
  const answer = await askPage(context.page, { kind: "conditions", named: [] }, 0);
  const shown = answer.status === "refused" ? `; ${describeShown(answer.shown)}` : "";
  throw new RowcallError("PAGE_UNEXPECTED", `${url} answered with status ${response.status()}${shown}`, {
    hint: "Open the address by hand, or try again later.",
    details: { status: response.status() },
  });
}

async function check(step: StepOf<"check">, context: StepContext): Promise<void> {
  const task: PageTask = {
    kind: "check",
    target: toPageLocators(step.locator, context.scope),
    checked: step.checked,
    dismiss: dismissed(context),
  };
  await click(step, task, context);
  // Asked once more: a box that does not change must not pass for checked.
  const after = await askPage(context.page, task, 0);
  if (after.status === "done" && after.value.point === undefined) return;
  throw new RowcallError("STEP_FAILED", `${label(step, context.scope)}: the box did not change`, {
    hint: "Look at the recording.",
  });
}

/** Clicks where the page says, as often as something in the way has to go first. */
async function click(step: PlainStep, task: PageTask, context: StepContext): Promise<void> {
  for (let time = 0; time < 6; time += 1) {
    const { point, inTheWay } = await ask(step, task, context);
    if (point === undefined) return;
    await trusted(step, () => context.page.mouse.click(point.x, point.y));
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
  const answer = await askPage(context.page, task, timeoutOf(step, context));
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
    context.page,
    { kind: "conditions", named: [["it", condition]] },
    timeoutOf(step, context),
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
  const { point } = await ask(step, { kind: "pick", target, index: choice.index, text }, context);
  if (point !== undefined) await trusted(step, () => context.page.mouse.click(point.x, point.y));
  return { ...(step.as === undefined ? {} : { values: { [step.as]: text } }), detail: `"${text}": ${choice.why}` };
}

async function ask(step: PlainStep, task: PageTask, context: StepContext): Promise<PageResult> {
  const answer: PageAnswer = await askPage(context.page, task, timeoutOf(step, context));
  if (answer.status === "done") return answer.value;
  throw refused(step, answer, context.scope, timeoutOf(step, context));
}

function dismissed({ dismiss, scope }: StepContext): readonly ReturnType<typeof toPageLocators>[] {
  return dismiss.map((locators) => toPageLocators(locators, scope));
}

function timeoutOf(step: PlainStep, context: StepContext): number {
  return step.timeout_seconds === undefined ? context.timeoutMs : step.timeout_seconds * 1000;
}

async function trusted(step: PlainStep, input: () => Promise<void>): Promise<void> {
  try {
    await input();
  } catch (cause) {
    throw new RowcallError(
      /closed|crashed/i.test(messageOf(cause)) ? "BROWSER_CRASHED" : "STEP_FAILED",
      `Step ${step.action}: ${messageOf(cause)}`,
      {
        hint: "Look at the recording.",
        cause,
      },
    );
  }
}
