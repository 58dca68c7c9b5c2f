import { RowcallError, type ErrorCode } from "../../../core/errors.ts";
import type { JsonObject } from "../../../core/json.ts";
import { describeCondition, toPageCondition } from "../template/conditions.ts";
import type { PageShown } from "../page/in-page/protocol.ts";
import { describeLocators, toPageLocators } from "../template/locators.ts";
import { render } from "../template/rendering.ts";
import type { AddressWords, PlainStep } from "../template/steps.ts";
import type { PageDialog } from "../page/tab.ts";

/** A step in words: `fill label "PostCode"`. */
export function describeStep(step: PlainStep, scope: JsonObject): string {
  const { action } = step;
  if ("url" in step) return `${action} ${render(step.url, scope)}`;
  if ("fields" in step) return `${action} ${Object.keys(step.fields).join(", ")}`;
  if ("address" in step && step.address !== undefined) return `${action} the address that was asked for`;
  const conditions = [
    ...("condition" in step && step.condition !== undefined ? [step.condition] : []),
    ...("first_of" in step ? Object.values(step.first_of ?? {}) : []),
  ];
  if (conditions.length > 0) {
    const words = conditions.map((condition) => describeCondition(toPageCondition(condition, scope)));
    return `${action} ${words.join(", or ")}`;
  }
  if ("locator" in step && step.locator !== undefined)
    return `${action} ${describeLocators(toPageLocators(step.locator, scope))}`;
  return action;
}

/** The error of a step, with what the page shows, if that is known. */
export function stepError(
  { step, scope }: { readonly step: PlainStep; readonly scope: JsonObject },
  code: ErrorCode,
  why: string,
  { shown, hint = lookAgain }: { readonly shown?: PageShown; readonly hint?: string },
): RowcallError {
  const said = `${label(step, scope)}: ${why}`;
  if (shown === undefined) return new RowcallError(code, said, { hint });
  return new RowcallError(code, `${said}; ${describeShown(shown)}`, { hint, details: { shown } });
}

const lookAgain = "Look at the recording; if the site has changed, the template has to follow.";

/** The same error with more to say. */
export function saying(error: RowcallError, more: readonly string[], details: object): RowcallError {
  const { code, message, hint } = error;
  return new RowcallError(code, [message, ...more].join("; "), {
    hint,
    details: { ...error.details, ...details },
    cause: error,
  });
}

/** The page in words: its alerts, else the beginning of its text. */
export function describeShown(shown: PageShown): string {
  const where = `the page "${shown.title}" at ${shown.url}`;
  if (shown.alerts.length > 0) return `${where} says ${listed(shown.alerts)}`;
  return shown.text === "" ? `${where} is blank` : `${where} shows "${shown.text}"`;
}

/** Describes dialogs, and what was done with them. */
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
