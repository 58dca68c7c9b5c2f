import { RowcallError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { describeCondition, toPageCondition } from "./conditions.ts";
import type { PageRefusal, PageShown } from "./in-page/protocol.ts";
import { describeLocators, toPageLocators } from "./locators.ts";
import { render } from "./rendering.ts";
import type { AddressWords, PlainStep } from "./steps.ts";
import type { PageDialog } from "./tab.ts";

/** A step in words: `fill label "PostCode"`. */
export function describeStep(step: PlainStep, scope: JsonObject): string {
  if (step.action === "goto") return `goto ${render(step.url, scope)}`;
  if (step.action === "extract" || step.action === "set")
    return `${step.action} ${Object.keys(step.fields).join(", ")}`;
  if (step.action === "expect" && step.address !== undefined) return "expect the address that was asked for";
  const conditions =
    "condition" in step && step.condition !== undefined
      ? { condition: step.condition }
      : step.action === "wait_for"
        ? step.first_of
        : undefined;
  if (conditions !== undefined)
    return `${step.action} ${Object.values(conditions)
      .map((one) => describeCondition(toPageCondition(one, scope)))
      .join(", or ")}`;
  return "locator" in step && step.locator !== undefined
    ? `${step.action} ${describeLocators(toPageLocators(step.locator, scope))}`
    : step.action;
}

/** What to say of a step that the page could not do within its time. */
export function refused(step: PlainStep, answer: PageRefusal, scope: JsonObject, timeoutMs: number): RowcallError {
  const subject = answer.kind === "unable" ? "it " : "";
  return new RowcallError(
    "STEP_FAILED",
    `${label(step, scope)}: ${subject}${answer.why} after ${timeoutMs / 1000} s; ${describeShown(answer.shown)}`,
    {
      hint: "Look at the recording; if the site has changed, the template has to follow.",
      details: { shown: answer.shown },
    },
  );
}

/** A page that is not what the step expects. */
export function unexpected(step: PlainStep, why: string, shown: PageShown, scope: JsonObject): RowcallError {
  return new RowcallError("PAGE_UNEXPECTED", `${label(step, scope)}: ${why}; ${describeShown(shown)}`, {
    hint: "Look at the recording; if the site has changed, the template has to follow.",
    details: { shown },
  });
}

/** The page in words: its alerts, else the beginning of its text. */
export function describeShown(shown: PageShown): string {
  const where = `the page "${shown.title}" at ${shown.url}`;
  if (shown.alerts.length > 0) return `${where} says ${listed(shown.alerts)}`;
  return shown.text === "" ? `${where} is blank` : `${where} shows "${shown.text}"`;
}

/** What a page has said in dialogs, and what was done with them. */
export function describeDialogs(dialogs: readonly PageDialog[]): readonly string[] {
  const done = { alert: "closed", confirm: "dismissed", prompt: "dismissed" };
  return dialogs.map(({ type, message }) => `the page's ${type} "${message}" was ${done[type]}`);
}

/** A step in a message. */
export function label(step: PlainStep, scope: JsonObject): string {
  const words = describeStep(step, scope);
  return step.name === undefined ? `Step ${words}` : `Step "${step.name}" (${words})`;
}

/** Texts in a message, the first eight of them. */
export function listed(texts: readonly string[]): string {
  const shown = texts
    .slice(0, 8)
    .map((text) => `"${text}"`)
    .join(", ");
  return texts.length > 8 ? `${shown} and ${texts.length - 8} more` : shown;
}

/** An address in a message. */
export function addressText({ building_number, street, postcode = "" }: AddressWords): string {
  return `"${[`${building_number} ${street}`.trim(), postcode].filter((part) => part !== "").join(", ")}"`;
}
