import type { AgentInput } from "../../core/agent.ts";
import { RowcallError } from "../../core/errors.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import { renderText, renderValue } from "../../core/render.ts";
import type { HttpConfig } from "./http-config.ts";

/** A request, rendered for one row. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: JsonValue;
}

/**
 * Renders the request for one row.
 *
 * @param secret - what `{{secret.NAME}}` stands for, and `{{env.NAME}}`
 * @throws RowcallError TEMPLATE_RENDER
 */
export function renderRequest(config: HttpConfig, input: AgentInput, secret: JsonObject): HttpRequest {
  const variables = { ...input, env: secret, ...(config.secrets.length === 0 ? {} : { secret }) };
  const body = bodyOf(config, input, variables);
  const headers: Record<string, string> = { accept: "application/json", "user-agent": "rowcall" };
  if (body !== undefined)
    headers["content-type"] = typeof body === "string" ? "text/plain;charset=UTF-8" : "application/json";
  for (const [name, text] of Object.entries(config.headers)) headers[name.toLowerCase()] = renderText(text, variables);
  return { method: config.method, url: renderUrl(config, variables), headers, ...(body === undefined ? {} : { body }) };
}

function bodyOf({ method, body }: HttpConfig, input: AgentInput, variables: JsonObject): JsonValue | undefined {
  if (method === "GET") return undefined;
  if (body === undefined) return method === "DELETE" ? undefined : input;
  return typeof body === "string" ? renderText(body, variables) : renderValue(body, variables);
}

function renderUrl({ url, query }: HttpConfig, variables: JsonObject): string {
  const rendered = renderText(url, variables, encodeForUrl);
  const pairs = Object.entries(query).flatMap(([name, value]) => {
    const text = typeof value === "string" ? renderText(value, variables) : String(value);
    return text === "" ? [] : [`${encodeForUrl(name)}=${encodeForUrl(text)}`];
  });
  if (pairs.length === 0) return rendered;
  return `${rendered}${rendered.includes("?") ? "&" : "?"}${pairs.join("&")}`;
}

// Half a surrogate pair has no encoding.
function encodeForUrl(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/**
 * The step of a path that leads elsewhere: `.` or `..`. URLs know it percent-encoded too, and as they take a backslash for a slash and
 * leave out line breaks; services decode once more, and cut off what follows a semicolon.
 */
function dotsIn(path: string): string | undefined {
  let plain = path;
  for (let next = decoded(plain); next !== plain; next = decoded(plain)) plain = next;
  const steps = plain.replaceAll(/[\t\n\r]/g, "").split(/[/\\]/);
  return steps.map((step) => step.split(";", 1)[0] ?? "").find((step) => step === "." || step === "..");
}

function decoded(text: string): string {
  return text.replaceAll(/%(25|2e|2f|5c|3b|09|0a|0d)/gi, (_all, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/**
 * Checks what a row's values made of a request.
 *
 * @param shown - the URL as it may be shown
 * @throws RowcallError ROW_INVALID
 */
export function requireSendable({ url, headers }: HttpRequest, shown: string): URL {
  const parsed = URL.parse(url);
  const refuse = (message: string, hint: string): RowcallError => new RowcallError("ROW_INVALID", message, { hint });
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw refuse(`${shown} is not an http: or https: URL`, "Check the agent's url and the row's values in it.");
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw refuse("The URL holds a user name or password", "Send it as an Authorization header, from a secret.");
  }
  const step = dotsIn(url.replace(/[?#].*$/s, ""));
  if (step !== undefined) {
    throw refuse(
      `A value in the path of ${shown} has "${step}" for a part of the path`,
      "Such a value would call another path: correct the row.",
    );
  }
  for (const [name, value] of Object.entries(headers)) {
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw refuse(
        `The header ${name} has a character that headers cannot carry`,
        "Send the value in the query or the body.",
      );
    }
  }
  return parsed;
}
