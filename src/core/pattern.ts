import { RegExpParser, type AST } from "@eslint-community/regexpp";
import { RE2JS } from "re2js";
import { messageOf } from "./errors.ts";

/** A regular expression that takes time in proportion to the text, whatever it and the text are. */
export interface Pattern {
  test(text: string): boolean;
  /** The first match: the whole, then its groups, undefined where a group took no part; undefined when there is none. */
  find(text: string): readonly (string | undefined)[] | undefined;
}

/**
 * Compiles a regular expression that somebody wrote, in JavaScript's syntax and meaning (flag `u`). RE2 runs it, which never goes back
 * in the text, so what needs that (lookaheads, lookbehinds, backreferences) is not supported. A group that is optional and holds
 * nothing is empty, not absent.
 *
 * @throws SyntaxError naming the pattern, and the part that is wrong or not supported
 */
export function compilePattern(source: string): Pattern {
  const known = compiled.get(source);
  if (known !== undefined) return known;
  const pattern = compile(source);
  // Variables in a pattern make one for each row.
  if (compiled.size >= 200) compiled.clear();
  compiled.set(source, pattern);
  return pattern;
}

const compiled = new Map<string, Pattern>();
const parser = new RegExpParser();

function compile(source: string): Pattern {
  const shown = JSON.stringify(source);
  let re2: RE2JS;
  try {
    re2 = RE2JS.compile(translate(parser.parsePattern(source, 0, source.length, { unicode: true })));
  } catch (thrown) {
    if (thrown instanceof Unsupported) throw new SyntaxError(`${shown} ${thrown.message}`, { cause: thrown });
    const why = messageOf(thrown).replace(/^(?:Invalid regular expression: .*: |error parsing regexp: )/s, "");
    throw new SyntaxError(`${shown} is not a regular expression: ${why}`, { cause: thrown });
  }
  return {
    test: (text) => re2.test(text),
    find: (text) => {
      const matcher = re2.matcher(text);
      if (!matcher.find()) return undefined;
      return Array.from({ length: matcher.groupCount() + 1 }, (_, group) => matcher.group(group) ?? undefined);
    },
  };
}

class Unsupported extends Error {}

function unsupported({ raw }: AST.Node, what: string): Unsupported {
  const part = raw.length > 60 ? `${raw.slice(0, 59)}…` : raw;
  return new Unsupported(`has ${what}, ${JSON.stringify(part)}, which is not supported: it may take endless time`);
}

const space = String.raw`\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`;
const most = 1000;

// RE2 reads some of JavaScript's syntax otherwise (\s, ., $) or not at all (\u, (?<name>): everything is written out anew.
function translate(node: AST.Pattern | AST.Alternative | AST.Element): string {
  switch (node.type) {
    case "Pattern":
      return node.alternatives.map(translate).join("|");
    case "Alternative":
      return node.elements.map(translate).join("");
    case "Group":
      return `(?${modifiersOf(node)}:${node.alternatives.map(translate).join("|")})`;
    case "CapturingGroup":
      return `(${node.alternatives.map(translate).join("|")})`;
    case "Quantifier":
      return `(?:${translate(node.element)})${timesOf(node)}${node.greedy ? "" : "?"}`;
    case "Assertion":
      if (node.kind === "start") return String.raw`\A`;
      if (node.kind === "end") return String.raw`\z`;
      if (node.kind === "word") return node.negate ? String.raw`\B` : String.raw`\b`;
      throw unsupported(node, `a ${node.kind}`);
    case "Backreference":
      throw unsupported(node, "a backreference");
    case "CharacterClass":
      return classOf(node.negate, node.elements.map(membersOf).join(""));
    case "CharacterSet":
      return node.kind === "any" ? String.raw`[^\n\r\x{2028}\x{2029}]` : classOf(false, membersOf(node));
    case "Character":
      return code(node.value);
    case "ExpressionCharacterClass":
      throw unsupported(node, "an expression");
  }
}

function classOf(negate: boolean, members: string): string {
  // RE2 knows no empty class.
  if (members === "") return negate ? String.raw`[\x{0}-\x{10ffff}]` : String.raw`[^\x{0}-\x{10ffff}]`;
  return `[${negate ? "^" : ""}${members}]`;
}

function membersOf(node: AST.CharacterClassElement | AST.CharacterSet): string {
  if (node.type === "Character") return code(node.value);
  if (node.type === "CharacterClassRange") return `${code(node.min.value)}-${code(node.max.value)}`;
  if (node.type === "CharacterSet") return setOf(node);
  throw unsupported(node, "an expression");
}

function setOf(node: AST.CharacterSet): string {
  if (node.kind === "digit") return node.negate ? String.raw`\D` : String.raw`\d`;
  if (node.kind === "word") return node.negate ? String.raw`\W` : String.raw`\w`;
  if (node.kind === "space") return node.negate ? otherThan(/\s/u) : space;
  if (node.kind === "property") return propertyOf(node);
  throw unsupported(node, "an expression");
}

// The names of properties are JavaScript's, and so is what they hold: looking is sure where names and editions of Unicode differ.
function propertyOf(node: AST.CharacterSet & { readonly kind: "property" }): string {
  const key = node.raw;
  const members =
    properties.get(key) ??
    otherThan(new RegExp(key.replace(/^\\[pP]/, node.negate ? String.raw`\p` : String.raw`\P`), "u"));
  properties.set(key, members);
  return members;
}

const properties = new Map<string, string>();

function otherThan(set: RegExp): string {
  let members = "";
  let from = -1;
  for (let point = 0; point <= 0x110000; point += 1) {
    const isMember = point < 0x110000 && !set.test(String.fromCodePoint(point));
    if (isMember && from === -1) from = point;
    if (isMember || from === -1) continue;
    members += `${code(from)}-${code(point - 1)}`;
    from = -1;
  }
  return members;
}

function code(point: number): string {
  return `\\x{${point.toString(16)}}`;
}

function timesOf({ min, max, raw, element }: AST.Quantifier): string {
  if (Math.max(min, max === Number.POSITIVE_INFINITY ? 0 : max) > most)
    throw new Unsupported(
      `repeats ${JSON.stringify(raw.slice(element.raw.length))}, more than ${most} times, which is not supported`,
    );
  return max === Number.POSITIVE_INFINITY ? `{${min},}` : `{${min},${max}}`;
}

function modifiersOf(node: AST.Group): string {
  const { modifiers } = node;
  if (modifiers === null) return "";
  const { add, remove } = modifiers;
  if ([add, remove].some((flags) => flags?.multiline === true || flags?.dotAll === true))
    throw new Unsupported(`has the modifier ${JSON.stringify(modifiers.raw)}, of which only i is supported`);
  return `${add.ignoreCase ? "i" : ""}${remove?.ignoreCase === true ? "-i" : ""}`;
}
