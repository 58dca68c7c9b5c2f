import { z } from "zod";
import type { AgentDefinition } from "../../core/agent.ts";
import { parseAllowedHosts } from "../allowed-hosts.ts";
import { messageOf } from "../../core/errors.ts";
import type { JsonValue } from "../../core/json.ts";
import { variablesOf } from "../../core/render.ts";
import type { Problem } from "../../core/schema.ts";
import { secretsSchema } from "../../core/secrets.ts";
import { outputProblems, outputSchema } from "../../core/take-output.ts";
import { parseConfig } from "../parse-config.ts";
import { hostOfTemplate } from "./http-hosts.ts";

/** Every text is Mustache over the input and `secret`. */
const configSchema = z.strictObject({
  url: z.string().min(1),
  method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]).default("GET"),
  headers: z.record(z.string(), z.string()).default({}),
  /** Hosts that rows may choose, as the browser agent's; a host that stands in `url` without variables need not be listed. */
  allowed_hosts: z.array(z.string().min(1)).default([]),
  /** Added to the URL's query; what renders to an empty text is left out. */
  query: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  /** JSON, or text. @default the input, with methods that have a body */
  body: z.json().optional(),
  secrets: secretsSchema,
  output: outputSchema,
  /** Statuses whose body is an answer. @default 200 to 299 */
  success_status: z.array(z.int().min(100).max(599)).min(1).optional(),
});

/** Settings of the kind `http`. */
export type HttpConfig = z.infer<typeof configSchema>;

/**
 * Reads an http agent's config.
 *
 * @throws RowcallError AGENT_INVALID with every problem in `details.problems`
 */
export function parseHttpConfig(agent: AgentDefinition): HttpConfig {
  return parseConfig(configSchema, agent, (config) => [
    ...placeProblems(config),
    ...hostProblems(config),
    ...templateProblems(config),
    ...outputProblems(config.output),
  ]);
}

function placeProblems({ url, method, headers, body }: HttpConfig): Problem[] {
  const problems: Problem[] = [];
  if (!/^(https?:\/\/|\{\{)/i.test(url)) {
    problems.push({
      path: "url",
      message: `${JSON.stringify(url)} is not an http: or https: URL`,
      hint: "Begin it with https://.",
    });
  }
  if (method === "GET" && body !== undefined) {
    problems.push({ path: "body", message: "given with the method GET", hint: 'Set "method": "POST", or use query.' });
  }
  for (const name of Object.keys(headers)) {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name))
      problems.push({ path: `headers.${name}`, message: "is not a header's name" });
  }
  return problems;
}

function hostProblems({ url, allowed_hosts: allowed }: HttpConfig): Problem[] {
  const problems: Problem[] = [];
  const host = hostOfTemplate(url);
  if (host === undefined && url.includes("{{") && allowed.length === 0) {
    problems.push({
      path: "url",
      message: `a variable has a part in the host of ${JSON.stringify(url)}: a row would choose where the request goes, and its secrets`,
      hint: 'Write the host without variables, followed by a slash, or list the hosts that rows may choose: "allowed_hosts": ["api.example.com"].',
    });
  }
  if (host !== undefined && host !== "" && /^[^/]*\/\/[^/?#\\]*@/.test(url)) {
    problems.push({
      path: "url",
      message: "holds a user name or password",
      hint: "Send it as an Authorization header, from a secret.",
    });
  }
  try {
    parseAllowedHosts(allowed);
  } catch (thrown) {
    problems.push({ path: "allowed_hosts", message: messageOf(thrown) });
  }
  return problems;
}

function templateProblems({ url, headers, query, body, secrets }: HttpConfig): Problem[] {
  const parts: readonly (readonly [path: string, value: JsonValue])[] = [
    ["url", url],
    ["headers", headers],
    ["query", query],
    ["body", body ?? null],
  ];
  return parts.flatMap(([path, value]) => {
    try {
      return [...variablesOf(value)].flatMap((name) => secretProblems(path, name, secrets));
    } catch (thrown) {
      return [{ path, message: messageOf(thrown) }];
    }
  });
}

function secretProblems(path: string, variable: string, secrets: readonly string[]): Problem[] {
  // A column may be called secret, as long as the agent has none.
  const isSecret =
    /^(env|secret)\./.test(variable) || variable === "env" || (variable === "secret" && secrets.length > 0);
  const name = variable.replace(/^\w+\.?/, "");
  if (!isSecret || secrets.includes(name)) return [];
  return [
    {
      path,
      message: `uses {{${variable}}}, which is not in secrets`,
      hint: `Add it: "secrets": ["${name || "NAME"}"].`,
    },
  ];
}
