import { alteredNumber, givenTwice, lostKey, maxLevels, nestedTooDeep, type DocumentFault } from "./document-fault.ts";

interface Open {
  /** Keys so far; absent for a list. */
  readonly keys?: Set<string>;
  /** Key or index of the value that comes next. */
  at: string | number;
}

const tokens = /(?<text>"[^"\\]*(?:\\.[^"\\]*)*")(?<colon>\s*:)?|[[\]{},]|-?\d[\d.eE+-]*/g;

/**
 * Finds what `JSON.parse` passes over in silence: a key that is given twice, a number that loses digits, endless nesting.
 *
 * @param text - that `JSON.parse` takes
 */
export function findJsonFault(text: string): DocumentFault | undefined {
  const open: Open[] = [];
  const path = (): (string | number)[] => open.map(({ at }) => at);
  for (const { 0: token, index, groups } of text.matchAll(tokens)) {
    const inner = open.at(-1);
    if (token === "{" || token === "[") {
      if (open.length === maxLevels) return nestedTooDeep(String(open[0]?.at ?? ""), index);
      open.push(token === "{" ? { keys: new Set(), at: "" } : { at: 0 });
    } else if (token === "}" || token === "]") open.pop();
    else if (token === ",") {
      if (typeof inner?.at === "number") inner.at += 1;
    } else if (groups?.["colon"] !== undefined && inner !== undefined) {
      const key = JSON.parse(groups["text"] ?? "") as string;
      if (inner.keys?.has(key) === true) return givenTwice(key, index);
      if (key === "__proto__") return lostKey(index);
      inner.keys?.add(key);
      inner.at = key;
    } else if (groups?.["text"] === undefined) {
      const fault = alteredNumber(path(), Number(token), token, index);
      if (fault !== undefined) return fault;
    }
  }
  return undefined;
}
