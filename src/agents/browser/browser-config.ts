import { z } from "zod";
import type { AgentDefinition } from "../../core/agent.ts";
import { secretsSchema } from "../../core/secrets.ts";
import { parseAllowedHosts } from "../allowed-hosts.ts";
import { parseConfig } from "../parse-config.ts";

/** The size of a page, in CSS pixels. */
export const viewportSchema = z.strictObject({
  width: z.int().min(100).max(4096),
  height: z.int().min(100).max(4096),
});

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
  viewport: viewportSchema.optional(),
  recycle_after_rows: z.int().positive().optional().describe("Rows that one browser process serves"),
  executable: z
    .enum(["headless-shell", "full"])
    .default("headless-shell")
    .describe("Which build of Chromium; full is slower"),
  secrets: secretsSchema,
});

/** Settings of the kind `browser`. */
export type BrowserConfig = z.infer<typeof configSchema>;

/**
 * Reads a browser agent's config.
 *
 * @throws RowcallError AGENT_INVALID with every problem in `details.problems`
 */
export function parseBrowserConfig(agent: AgentDefinition): BrowserConfig {
  const config = parseConfig(configSchema, agent);
  parseAllowedHosts(config.allowed_hosts ?? []);
  return config;
}
