import type { AgentDefinition } from "../core/agent.ts";
import { RowcallError } from "../core/errors.ts";
import { parseReference } from "../core/registry.ts";
import { checkBy, createCheck, type Check, type CheckId } from "./check.ts";
import type { ExtraCheck } from "./plan.ts";
import type { Wiring } from "./wire.ts";

/** The checks of a plan that need to know browsers and their templates. */
export function browserChecks({ services, host }: Pick<Wiring, "services" | "host">): readonly ExtraCheck[] {
  return [
    forBrowserAgents("browser", async ({ config }) => {
      const { findChromium } = await import("../agents/browser/chromium/chromium.ts");
      const build = config["executable"] === "full" ? "full" : "headless-shell";
      const { path, source, version } = await findChromium({ explicitPath: host.chromiumPath, build });
      return `${version} (${source}: ${path})`;
    }),
    forBrowserAgents("template", async ({ config }) => {
      const { parseTemplate } = await import("../agents/browser/template/template.ts");
      const reference = config["template"];
      if (typeof reference !== "string") {
        throw new RowcallError("AGENT_INVALID", "The agent's config names no template", {
          hint: 'Add "template": "id@version" to it.',
        });
      }
      const document = await services.registry.templates.resolve(parseReference(reference));
      const { template_id: id, version, steps } = parseTemplate(document, `template ${reference}`);
      return `${id}@${version}, ${steps.length} steps`;
    }),
  ];
}

function forBrowserAgents(id: CheckId, look: (definition: AgentDefinition) => Promise<string>): ExtraCheck {
  return async (definition): Promise<Check> => {
    if (definition === undefined) return createCheck(id, "skipped", "The agent is not known");
    if (definition.kind !== "browser")
      return createCheck(id, "skipped", `An agent of kind ${definition.kind} needs none`);
    return checkBy(id, () => look(definition));
  };
}
