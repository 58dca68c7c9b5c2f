import type { CST, Document, Node, Pair, Scalar } from "yaml";
import { alteredNumber, lostKey, maxLevels, nestedTooDeep, type DocumentFault } from "./document-fault.ts";
import { isAlias, isMap, isPair, isScalar, isSeq, Parser, visit } from "./yaml.ts";

/** Finds nesting so deep that the text cannot be read: what reads it goes into itself for each level. */
export function findYamlDepth(text: string): DocumentFault | undefined {
  for (const document of new Parser().parse(text)) {
    if (document.type !== "document") continue;
    const open: { token: CST.Token | null | undefined; level: number; top: string }[] = [];
    open.push({ token: document.value, level: 0, top: "" });
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { token, level, top } = next;
      if (token === null || token === undefined || !("items" in token)) continue;
      if (level === maxLevels) return nestedTooDeep(top, token.offset);
      for (const { key, value } of token.items) {
        const name = level === 0 && key !== null && key !== undefined && "source" in key ? key.source : top;
        open.push({ token: value, level: level + 1, top: name }, { token: key, level: level + 1, top: name });
      }
    }
  }
  return undefined;
}

/** Finds aliases that lead nowhere or into themselves, and numbers that would not be what is written. */
export function findYamlFault(document: Document): DocumentFault | undefined {
  let fault: DocumentFault | undefined;
  const anchors = new Set<string>();
  visit(document, {
    Pair(_, { key }) {
      if (!isScalar(key) || key.value !== "__proto__") return undefined;
      fault = lostKey(key.range?.[0] ?? 0);
      return visit.BREAK;
    },
    Node(_, node, path) {
      const offset = node.range?.[0] ?? 0;
      if ("anchor" in node && node.anchor !== undefined) anchors.add(node.anchor);
      if (isScalar(node) && typeof node.value === "number")
        fault = alteredNumber(keysOf(path, node), node.value, node.source ?? "", offset);
      else if (isAlias(node)) fault = aliasFault(node.source, path, node, anchors);
      return fault === undefined ? undefined : visit.BREAK;
    },
  });
  return fault;
}

type Ancestor = Document | Node | Pair;

// A value that begins with * is an alias to YAML, such as *.csv.
function aliasFault(
  name: string,
  path: readonly Ancestor[],
  node: Node,
  anchors: ReadonlySet<string>,
): DocumentFault | undefined {
  const isInside = path.some((around) => "anchor" in around && around.anchor === name);
  if (anchors.has(name) && !isInside) return undefined;
  const keys = keysOf(path, node);
  const what = isInside ? "stands in what it refers to" : "refers to an anchor that is not there";
  return {
    message: `${keys.length === 0 ? "" : `${keys.join(".")}: `}*${name} ${what}`,
    hint: `Put a text that begins with * into quotes: "*${name}".`,
    offset: node.range?.[0] ?? 0,
  };
}

/** Keys and indexes that lead to a node. */
function keysOf(path: readonly Ancestor[], node: Node): (string | number)[] {
  return path.flatMap((around, index): (string | number)[] => {
    if (isPair(around)) return isScalar(around.key) ? [String(around.key.value)] : [];
    return isSeq(around) ? [around.items.indexOf(path[index + 1] ?? node)] : [];
  });
}

/** The document's value, or why there is none: aliases that repeat too much, or make it too deep. */
export function yamlValue(document: Document): { readonly value: unknown } | { readonly fault: DocumentFault } {
  let value: unknown;
  try {
    value = document.toJS();
  } catch {
    return { fault: aliasExcess(document) };
  }
  const deep = deepKey(value);
  return deep === undefined ? { value } : { fault: nestedTooDeep(deep) };
}

function aliasExcess(document: Document): DocumentFault {
  const { contents } = document;
  const pairs = isMap(contents) ? contents.items : [];
  const hint = "Write the values out in place of so many aliases.";
  for (const { key, value } of pairs) {
    try {
      (value as Node | null)?.toJS(document);
    } catch {
      const { value: name, range } = key as Scalar;
      return { message: `${String(name)}: its aliases repeat too much`, hint, offset: range?.[0] ?? 0 };
    }
  }
  return { message: "its aliases repeat too much", hint };
}

/** The key at the top below which a value is nested too deeply once its aliases are followed. */
function deepKey(value: unknown): string | undefined {
  const open = [{ value, level: 0, top: "" }];
  // What several aliases share is looked at once.
  const seen = new Set<object>();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next.value !== "object" || next.value === null || seen.has(next.value)) continue;
    if (next.level === maxLevels) return next.top;
    seen.add(next.value);
    for (const [key, inner] of Object.entries(next.value))
      open.push({ value: inner, level: next.level + 1, top: next.level === 0 ? key : next.top });
  }
  return undefined;
}
