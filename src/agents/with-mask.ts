import type { AgentInput, Invoker } from "../core/agent.ts";
import { messageOf, RowcallError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import { noMask, type Mask } from "../core/mask.ts";

/** An opened agent that shows none of its secrets; who makes attempts with it applies its mask to what these leave behind. */
export function withMask(invoker: Invoker, mask: Mask): Invoker {
  if (mask === noMask) return invoker;
  const preview = invoker.preview?.bind(invoker);
  if (preview === undefined) return Object.assign(invoker, { mask });
  const masked = (input: AgentInput): JsonValue => {
    try {
      return mask.value(preview(input));
    } catch (thrown) {
      throw maskError(thrown, mask);
    }
  };
  return Object.assign(invoker, { mask, preview: masked });
}

/** Returns an error without secrets in its words: itself when there are none. */
export function maskError(thrown: unknown, mask: Mask): unknown {
  const ours = thrown instanceof RowcallError ? thrown : undefined;
  const message = messageOf(thrown);
  const told = mask.text(message);
  const hint = ours?.hint === undefined ? undefined : mask.text(ours.hint);
  if (told === message && hint === ours?.hint) return thrown;
  // Neither its cause nor its stack: they say the same once more.
  return ours === undefined ? new Error(told) : new RowcallError(ours.code, told, { retryable: ours.retryable, hint });
}
