import type { Invoker } from "../core/agent.ts";
import { messageOf, RowcallError } from "../core/errors.ts";
import { noMask, type Mask } from "../core/mask.ts";

/** An opened agent that shows none of its secrets; who makes attempts with it applies its mask to what these leave behind. */
export function withMask(invoker: Invoker, mask: Mask): Invoker {
  if (mask === noMask) return invoker;
  const preview = invoker.preview?.bind(invoker);
  return Object.assign(invoker, {
    mask,
    ...(preview === undefined
      ? {}
      : {
          preview: (input: Parameters<typeof preview>[0]) => {
            try {
              return mask.value(preview(input));
            } catch (thrown) {
              throw maskError(thrown, mask);
            }
          },
        }),
  });
}

/** What was thrown, without secrets in its words: itself when there are none. */
export function maskError(thrown: unknown, mask: Mask): unknown {
  const message = messageOf(thrown);
  const told = mask.text(message);
  const hint = thrown instanceof RowcallError && thrown.hint !== undefined ? mask.text(thrown.hint) : undefined;
  const isSame = told === message && !(thrown instanceof RowcallError && thrown.hint !== hint);
  if (isSame) return thrown;
  // Neither its cause nor its stack: they say the same once more.
  if (!(thrown instanceof RowcallError)) return new Error(told);
  const { code, retryable } = thrown;
  return new RowcallError(code, told, { retryable, ...(hint === undefined ? {} : { hint }) });
}
