import { messageOf, RowcallError } from "../core/errors.ts";
import type { Problem } from "../core/schema.ts";
import type { Wiring } from "../app/wire.ts";
import type { ShownCheck } from "./check-lines.ts";
import { openRegistry } from "./open-registry.ts";
import { validateAgent, validateTemplate } from "./validate-documents.ts";

/** Checks that the registry can be read and everything in it is valid. */
export async function checkRegistry(wiring: Wiring): Promise<ShownCheck & { readonly id: "registry" }> {
  const title = "The registry can be read and all in it is valid";
  const { registry, addresses, problems: unreadable } = openRegistry(wiring);
  const problems: Problem[] = [];
  const tell = (thrown: unknown): void => {
    const hint = thrown instanceof RowcallError ? thrown.hint : undefined;
    problems.push({ path: "", message: messageOf(thrown), ...(hint === undefined ? {} : { hint }) });
  };
  const inspect = (look: () => unknown): void => {
    try {
      look();
    } catch (thrown) {
      tell(thrown);
    }
  };
  try {
    const agents = await registry.agents.list();
    const templates = await registry.templates.list();
    unreadable.forEach(tell);
    for (const agent of agents) inspect(() => validateAgent(agent, `agent ${agent.agent_name}@${agent.version}`));
    for (const template of templates)
      inspect(() => validateTemplate(template, `template ${template.template_id}@${template.version}`));
    const detail = `${agents.length} agents and ${templates.length} templates in ${addresses.join(", ")}`;
    const [first] = problems;
    if (first === undefined) {
      if (agents.length > 0) return { id: "registry", title, status: "passed", detail };
      return {
        id: "registry",
        title,
        status: "warning",
        detail,
        hint: "Name the folder with --registry, or publish an agent: `rowcall agents publish FILE`.",
      };
    }
    return {
      id: "registry",
      title,
      status: "failed",
      detail: problems.map(({ message }) => message).join("; "),
      problems,
    };
  } catch (thrown) {
    const hint = thrown instanceof RowcallError ? thrown.hint : undefined;
    return {
      id: "registry",
      title,
      status: "failed",
      detail: messageOf(thrown),
      hint: hint ?? "Check --registry and the right to read its files.",
    };
  }
}
