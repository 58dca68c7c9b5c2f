import { admit } from "../core/admit.ts";
import { limitText, type StepRecord } from "../core/attempt.ts";
import { noMask, type Mask } from "../core/mask.ts";

// Characters that the steps of one attempt take together, with a few for each step.
const maxStepsSize = 256 * 1024;

/** The steps of one attempt: long texts are cut, and what is too much is only counted. */
export interface StepList {
  /**
   * Notes a step, whatever an agent calls one: a copy, with texts in place of other values.
   *
   * @throws RowcallError OUTPUT_INVALID when it holds what JSON cannot say
   */
  add(step: unknown): void;
  /** All that was noted; how many were left out is the last one. */
  records(): readonly StepRecord[];
}

/**
 * Starts a list of steps.
 *
 * @param mask - taken to their texts before these are cut
 */
export function createStepList(mask: Mask = noMask): StepList {
  const kept: StepRecord[] = [];
  let size = 0;
  let leftOut = 0;
  return {
    add: (step) => {
      if (size >= maxStepsSize) {
        leftOut += 1;
        return;
      }
      const record = recordOf(step, mask);
      size += record.name.length + (record.detail?.length ?? 0) + 64;
      kept.push(record);
    },
    records: () =>
      leftOut === 0 ? kept : [...kept, { name: `… (${leftOut} more steps)`, status: "skipped", durationMs: 0 }],
  };
}

function recordOf(step: unknown, mask: Mask): StepRecord {
  const { name, status, durationMs, detail } = Object(step) as { readonly [key in keyof StepRecord]?: unknown };
  return {
    name: textOf(name ?? step, "name", mask),
    status: status === "failed" || status === "skipped" ? status : "done",
    durationMs: typeof durationMs === "number" && Number.isFinite(durationMs) ? durationMs : 0,
    ...(detail === undefined ? {} : { detail: textOf(detail, "detail", mask) }),
  };
}

function textOf(value: unknown, name: string, mask: Mask): string {
  const text = typeof value === "string" ? value : JSON.stringify(admit(value, `step.${name}`).value);
  return limitText(mask.text(text));
}
