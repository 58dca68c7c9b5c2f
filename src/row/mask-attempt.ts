import type { Outcome } from "../core/attempt.ts";
import type { JsonObject } from "../core/json.ts";
import { noMask, type Mask } from "../core/mask.ts";

/** An outcome without an agent's secrets; the same one when it holds none. */
export function maskOutcome(mask: Mask, outcome: Outcome): Outcome {
  if (mask === noMask) return outcome;
  if (outcome.status === "succeeded") {
    const output = mask.value(outcome.output) as JsonObject;
    return output === outcome.output ? outcome : { status: "succeeded", output };
  }
  const { message, hint } = outcome;
  return { ...outcome, message: mask.text(message), ...(hint === undefined ? {} : { hint: mask.text(hint) }) };
}

/** Content of a file without an agent's secrets, where it is text; pictures and the like are left as they are. */
export function maskContent(mask: Mask, content: Uint8Array, contentType: string): Uint8Array {
  if (mask === noMask || !/^text\/|[/+](json|xml|x?html|javascript|yaml|x-ndjson)\b/i.test(contentType)) return content;
  return maskBytes(mask, content);
}

/** Bytes without an agent's secrets, whatever the encoding of the text around them. */
export function maskBytes(mask: Mask, content: Uint8Array): Uint8Array {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const encoding = Buffer.from(bytes.toString("utf8")).equals(bytes) ? "utf8" : "latin1";
  const text = bytes.toString(encoding);
  const masked = mask.text(text);
  return masked === text ? content : Buffer.from(masked, encoding);
}
