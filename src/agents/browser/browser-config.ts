import { z } from "zod";
import type { AgentDefinition } from "../../core/agent.ts";
import type { JsonObject } from "../../core/json.ts";
import { parseWith } from "../../core/schema.ts";
import { secretsSchema } from "../../core/secrets.ts";
import { parseAllowedHosts } from "../allowed-hosts.ts";
import type { ChromiumBuild } from "./chromium.ts";

/** Settings of the kind `browser`. */
export interface BrowserConfig {
  readonly template: string;
  readonly variables: JsonObject;
  readonly allowed_hosts?: readonly string[] | undefined;
  readonly recording_field?: string | undefined;
  readonly metadata_field?: string | undefined;
  readonly viewport?: { readonly width: number; readonly height: number } | undefined;
  readonly recycle_after_rows?: number | undefined;
  readonly executable: ChromiumBuild;
  readonly secrets: readonly string[];
}

const configSchema = z.strictObject({
  template: z.string().min(1).describe("Template reference, id@version"),
  variables: z
    .record(z.string(), z.json())
    .default({})
    .describe("Values for the template that the input need not bring; the input wins"),
  allowed_hosts: z
    .array(z.string())
    .optional()
    .describe('Hosts the browser may talk to; default: that of the starting page, at its port. "*" allows all'),
  recording_field: z.string().min(1).optional().describe("Output field that receives the URI of the main recording"),
  metadata_field: z.string().min(1).optional().describe("Output field that receives act_id, session_id and num_steps"),
  viewport: z.strictObject({ width: z.int().min(100).max(4096), height: z.int().min(100).max(4096) }).optional(),
  recycle_after_rows: z.int().positive().optional().describe("Rows that one browser process serves"),
  executable: z
    .enum(["headless-shell", "full"])
    .default("headless-shell")
    .describe("Which build of Chromium; full is slower"),
  secrets: secretsSchema,
});

/**
 * Reads a browser agent's config.
 *
 * @throws RowcallError AGENT_INVALID with every problem in `details.problems`
 */
export function parseBrowserConfig({ agent_name: agent, config }: AgentDefinition): BrowserConfig {
  const parsed: BrowserConfig = parseWith(configSchema, config, "AGENT_INVALID", `config of agent ${agent}`);
  if (parsed.allowed_hosts !== undefined) parseAllowedHosts(parsed.allowed_hosts);
  return parsed;
}
