import { messageOf } from "../../core/errors.ts";

/** What Step Functions says is wrong with a text that should be JSON; undefined for JSON. */
export function jsonFault(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (thrown) {
    const [, word] = /^\s*([A-Za-z_$][\w$]*)/.exec(text) ?? [];
    if (word !== undefined)
      return `Unrecognized token '${word}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')`;
    const [, key] = /^\s*\{\s*([^\s"}])/.exec(text) ?? [];
    if (key !== undefined)
      return `Unexpected character ('${key}' (code ${key.codePointAt(0)})): was expecting double-quote to start field name`;
    return messageOf(thrown);
  }
}
