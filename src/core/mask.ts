import { isDigits, setOwn, type JsonArray, type JsonObject, type JsonValue } from "./json.ts";

/** What stands for a secret wherever people look. */
export const maskText = "***";

/** Characters that a secret has at least: what is shorter guards nothing, and turns up in everything. */
export const leastSecret = 4;

/** Takes secrets out of what is kept or told. */
export interface Mask {
  /** A text without secrets, in whatever form they came: as they are, or encoded for a URL, JSON, HTML or Base64. */
  text(text: string): string;
  /** A JSON value without secrets in its texts, names and numbers; the same value when it holds none. */
  value(value: JsonValue): JsonValue;
  /** The same mask with more texts to take out. */
  and(more: readonly string[]): Mask;
}

/** A mask of these texts; those that are too short to be secrets are left out. */
export function createMask(secrets: readonly string[]): Mask {
  const values = [...new Set(secrets)].filter(({ length }) => length >= leastSecret);
  // Longest first: one secret may be a part of another.
  const forms = [...new Set(values.flatMap(formsOf))].toSorted((a, b) => b.length - a.length);
  const pattern = new RegExp(forms.map(RegExp.escape).join("|"), "gu");
  const text = (given: string): string =>
    forms.length === 0 ? given : withoutBeginnings(given.replace(pattern, maskText), values);

  const value = (given: JsonValue): JsonValue => {
    if (typeof given === "string") return text(given);
    if (typeof given === "number" || isDigits(given)) {
      const digits = isDigits(given) ? given.rawJSON : String(given);
      return values.includes(digits) ? maskText : given;
    }
    if (typeof given !== "object" || given === null) return given;
    if (Array.isArray(given)) {
      const list: JsonArray = given;
      const items = list.map(value);
      return items.every((item, i) => item === list[i]) ? list : items;
    }
    const masked: Record<string, JsonValue> = {};
    let isSame = true;
    for (const [key, item] of Object.entries(given as JsonObject)) {
      if (item === undefined) continue;
      const name = text(key);
      const part = value(item);
      isSame &&= name === key && part === item;
      setOwn(masked, name, part);
    }
    return isSame ? given : masked;
  };
  return { text, value, and: (more) => createMask([...values, ...more]) };
}

/** Masks nothing. */
export const noMask: Mask = {
  text: (text) => text,
  value: (value) => value,
  and: (more) => createMask(more),
};

// Where a text was cut, the beginning of a secret may be left.
function withoutBeginnings(text: string, values: readonly string[]): string {
  if (!text.includes("…")) return text;
  return text
    .split("…")
    .map((part, i, parts) => {
      if (i === parts.length - 1) return part;
      for (const value of values)
        for (let length = Math.min(value.length - 1, part.length); length >= leastSecret; length -= 1)
          if (part.endsWith(value.slice(0, length))) return part.slice(0, -length) + maskText;
      return part;
    })
    .join("…");
}

/** The forms in which a text turns up elsewhere. */
function formsOf(value: string): readonly string[] {
  // Pages and messages know no line breaks and no spaces at the ends.
  const plain = [value, value.trim(), value.replace(/\s+/g, " ").trim(), value.replaceAll(/[\r\n]/g, "")];
  const encoded = [...new Set(plain)].flatMap((form) => {
    const json = JSON.stringify(form).slice(1, -1);
    const url = encodeURIComponent(form.toWellFormed());
    const strict = url.replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
    const inForm = new URLSearchParams([["", form.toWellFormed()]]).toString().slice(1);
    const urls = [url, strict, inForm, encodeURI(form.toWellFormed())];
    const html = form.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
    const quoted = [
      html.replaceAll('"', "&quot;").replaceAll("'", "&#39;"),
      html.replaceAll('"', "&#34;").replaceAll("'", "&#x27;"),
      html.replaceAll('"', "&quot;"),
    ];
    return [
      form,
      json,
      JSON.stringify(json).slice(1, -1),
      ...urls,
      ...urls.map((each) => each.replace(/%[\dA-F]{2}/g, (byte) => byte.toLowerCase())),
      html,
      ...quoted,
      ...inBase64(form),
    ];
  });
  return [...plain, ...encoded].filter(({ length }) => length >= leastSecret);
}

// Base64 of a text differs by where in the whole it begins; what depends on its neighbours is left out.
function inBase64(value: string): readonly string[] {
  const bytes = new TextEncoder().encode(value);
  return [0, 1, 2].flatMap((before) => {
    const whole = String.fromCharCode(...new Uint8Array(before), ...bytes.subarray(0, 4096));
    const bits = (before + Math.min(bytes.length, 4096)) * 8;
    const inner = btoa(whole).slice(Math.ceil((before * 8) / 6), Math.floor(bits / 6));
    // A few characters would be found in any text.
    if (inner.length < 8) return [];
    return [inner, inner.replaceAll("+", "-").replaceAll("/", "_"), encodeURIComponent(inner)];
  });
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
